{{/* What the file of pipelines says of one of them, as JSON: (dict "root" $ "name" "privacy"). */}}

{{- define "framelane.pipeline" -}}
{{- $file := fromToml .root.Values.pipelines -}}
{{- with $file.Error }}{{ fail (printf "pipelines: is not TOML: %s" .) }}{{ end -}}
{{- $names := list -}}
{{- $found := dict -}}
{{- range $file.pipeline -}}
{{- $names = append $names .name -}}
{{- if eq .name $.name -}}{{- $found = . -}}{{- end -}}
{{- end -}}
{{- if not $found }}{{ fail (printf "pipelines: there is no pipeline %q; there are %s" .name (join ", " $names)) }}{{ end -}}
{{- dict
  "group" (get $found "group" | default (printf "framelane.%s" .name))
  "input" (get $found "input" | default "frames.raw")
  "output" (hasKey $found "output" | ternary (get $found "output") "frames.processed")
  "events" (get $found "events" | default "frames.events")
  "deadLetter" (get $found "dead_letter" | default "frames.dead-letter")
  | toJson -}}
{{- end }}

{{/* A fleet, with the defaults of all: (dict "root" $ "fleet" .), as JSON; fails where it is wrong. */}}
{{- define "framelane.fleet" -}}
{{- $fleet := mergeOverwrite (deepCopy .root.Values.workerDefaults) .fleet -}}
{{- $pipeline := include "framelane.pipeline" (dict "root" .root "name" $fleet.pipeline) | fromJson -}}
{{- $most := get ($fleet.autoscale | default dict) "max" | default $fleet.replicas -}}
{{- $partitions := $fleet.partitions | default .root.Values.topics.partitions -}}
{{- if gt (int $most) (int $partitions) }}
{{- fail (printf "workers: %s: %d workers on the %d partitions of %s: those beyond would have nothing to do; raise topics.partitions (or partitions of the fleet, where its topic has others), or have fewer" $fleet.name (int $most) (int $partitions) $pipeline.input) }}
{{- end -}}
{{- with $fleet.autoscale }}
{{- if gt (int .min) (int .max) }}{{ fail (printf "workers: %s: autoscale.min %d is above autoscale.max %d" $fleet.name (int .min) (int .max)) }}{{ end -}}
{{- end -}}
{{- set $fleet "topics" $pipeline | toJson -}}
{{- end }}
