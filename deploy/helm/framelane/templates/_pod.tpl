{{/* What every pod of ours has: Pod Security "restricted", no token of a service account, no names from Services. */}}

{{- define "framelane.podBasics" -}}
serviceAccountName: {{ include "framelane.name" . }}
automountServiceAccountToken: false
# Kubernetes would set a variable for each Service, and some begin as our settings do.
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "framelane.containerBasics" -}}
image: {{ include "framelane.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* Pods of a component on different nodes and zones, where there are such: (dict "root" $ "component" "view"). */}}
{{- define "framelane.spread" -}}
topologySpreadConstraints:
  {{- $place := . }}
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "framelane.selector" $place | nindent 8 }}
  {{- end }}
{{- end }}

{{/* One at a time, and none that does not run anyway: (dict "root" $ "component" "view"). */}}
{{- define "framelane.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "framelane.name" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "framelane.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "framelane.selector" . | nindent 6 }}
{{- end }}

{{/* Annotations of a pod that has metrics: (dict "root" $ "port" 9464). */}}
{{- define "framelane.scrape" -}}
{{- if .root.Values.observability.scrapeAnnotations }}
annotations:
  prometheus.io/scrape: "true"
  prometheus.io/port: {{ .port | quote }}
  prometheus.io/path: /metrics
{{- end }}
{{- end }}
