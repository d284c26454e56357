{{/* Names and labels. */}}

{{- define "framelane.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* What picks the pods of a component out: (dict "root" $ "component" "view"). */}}
{{- define "framelane.selector" -}}
app.kubernetes.io/name: framelane
app.kubernetes.io/instance: {{ include "framelane.name" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "framelane.labels" -}}
{{ include "framelane.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{/* Labels that all pods of a release have, whatever their component. */}}
{{- define "framelane.everybody" -}}
app.kubernetes.io/name: framelane
app.kubernetes.io/instance: {{ include "framelane.name" . }}
{{- end }}

{{- define "framelane.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}
