{{/*
All topics as the contract wants them (streams/contract/topics.py), as a JSON list under `topics`: name, partitions, and
Kafka's settings. A test holds this to the code.
*/}}

{{- define "framelane.topics" -}}
{{- $topics := .Values.topics -}}
{{- $minute := 60000 -}}
{{- $mib := 1048576 -}}
{{- $frames := dict "partitions" $topics.partitions "minutes" $topics.retentionMinutes "bytes" (mul $topics.retentionMiB $mib) "max" (mul $topics.maxMiB $mib) -}}
{{- $given := list -}}
{{- range concat (list "frames.raw" "frames.processed") $topics.more -}}
{{- $given = append $given (merge (dict "name" .) $frames) -}}
{{- end -}}
{{- $two := mul 2048 $mib -}}
{{- $given = append $given (dict "name" "frames.events" "partitions" 6 "minutes" 1440 "bytes" $two "max" $mib) -}}
{{- /* A dead letter carries the frame as it came, and more headers than it had. */ -}}
{{- $letter := add (mul $topics.maxMiB $mib) 65536 -}}
{{- $given = append $given (dict "name" "frames.dead-letter" "partitions" 6 "minutes" 10080 "bytes" $two "max" $letter) -}}
{{- $all := list -}}
{{- range $given -}}
{{- $segment := max (add (int64 .max) $mib) (min (mul 128 $mib) (div (int64 .bytes) 4)) -}}
{{- $config := dict
  "cleanup.policy" "delete"
  "compression.type" "producer"
  "max.message.bytes" (int64 .max)
  "retention.ms" (mul (int64 .minutes) $minute)
  "retention.bytes" (int64 .bytes)
  "segment.ms" (max $minute (div (mul (int64 .minutes) $minute) 4))
  "segment.bytes" (int64 $segment) -}}
{{- $all = append $all (dict "name" .name "partitions" (int64 .partitions) "config" $config) -}}
{{- end -}}
{{- $status := dict "cleanup.policy" "compact" "compression.type" "producer" "max.message.bytes" $mib "segment.ms" (mul 10 $minute) -}}
{{- $all = append $all (dict "name" "frames.status" "partitions" 1 "config" $status) -}}
{{- range $all -}}
{{- if ge (int $topics.replicas) 3 }}{{ $_ := set .config "min.insync.replicas" 2 }}{{ end -}}
{{- end -}}
{{- dict "topics" $all | toJson -}}
{{- end }}
