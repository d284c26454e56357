{{/*
What each role may do, as a JSON map: role -> kind -> name -> operations. The table is that of `framelane acls print`
(framelane/acls.py), on the topics and groups of this release; a test holds the one to the other. A right to Read or to
Write has the one to Describe in it.
*/}}

{{- define "framelane.acls" -}}
{{- $producer := dict "topic" (dict "frames.raw" (list "Write" "DescribeConfigs") "frames.status" (list "Write")) "group" dict -}}
{{- range .Values.producers -}}
{{- $file := fromToml .cameras -}}
{{- $usual := get ($file.defaults | default dict) "topic" | default "frames.raw" -}}
{{- range $file.camera -}}
{{- $_ := set $producer.topic (get . "topic" | default $usual) (list "Write" "DescribeConfigs") -}}
{{- end -}}
{{- end -}}
{{- $worker := dict "topic" (dict "frames.status" (list "Write")) "group" dict -}}
{{- range .Values.workers -}}
{{- $pipeline := include "framelane.pipeline" (dict "root" $ "name" .pipeline) | fromJson -}}
{{- $_ := set $worker.group $pipeline.group (list "Read") -}}
{{- $_ := set $worker.topic $pipeline.input (prepend (get $worker.topic $pipeline.input | default list) "Read" | uniq) -}}
{{- range compact (list $pipeline.output $pipeline.events $pipeline.deadLetter) -}}
{{- $_ := set $worker.topic . (append (get $worker.topic . | default list) "Write" | uniq) -}}
{{- end -}}
{{- end -}}
{{- $view := dict "topic" (dict
  "frames.raw" (list "Read")
  "frames.processed" (list "Read")
  "frames.events" (list "Read")
  "frames.dead-letter" (list "Read")
  "frames.status" (list "Read" "Write")) "group" dict -}}
{{- $gateway := dict "topic" dict "group" dict -}}
{{- range .Values.gateway.pipelines -}}
{{- $pipeline := include "framelane.pipeline" (dict "root" $ "name" .) | fromJson -}}
{{- $_ := set $gateway.topic $pipeline.input (list "Write") -}}
{{- $_ := set $gateway.topic $pipeline.output (list "Read") -}}
{{- $_ := set $gateway.topic $pipeline.deadLetter (list "Read") -}}
{{- end -}}
{{- dict "producer" $producer "worker" $worker "view" $view "gateway" $gateway | toJson -}}
{{- end }}

{{/* What a subscriber of that name may do: its group is called as it is. */}}
{{- define "framelane.subscriberAcls" -}}
{{- dict "topic" (dict "frames.processed" (list "Read") "frames.events" (list "Read")) "group" (dict . (list "Read")) | toJson -}}
{{- end }}
