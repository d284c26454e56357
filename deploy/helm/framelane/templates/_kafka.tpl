{{/* How a role reaches Kafka: environment, files, and the checks that settings fit together. */}}

{{- define "framelane.bootstrap" -}}
{{- $kafka := .Values.kafka -}}
{{- if $kafka.bootstrap -}}
{{ $kafka.bootstrap }}
{{- else if eq $kafka.cluster "single" -}}
{{ include "framelane.name" . }}-kafka.{{ .Release.Namespace }}.svc:9092
{{- else if .Values.strimzi.cluster -}}
{{ .Values.strimzi.cluster }}-kafka-bootstrap.{{ .Release.Namespace }}.svc:9093
{{- else -}}
{{ fail "kafka.bootstrap: say where Kafka is (host:port), or have one made with kafka.cluster" }}
{{- end -}}
{{- end }}

{{- define "framelane.caSecret" -}}
{{- if .Values.kafka.caSecret -}}
{{ .Values.kafka.caSecret }}
{{- else if .Values.strimzi.cluster -}}
{{ .Values.strimzi.cluster }}-cluster-ca-cert
{{- end -}}
{{- end }}

{{- define "framelane.usesTls" -}}
{{- if has .Values.kafka.security (list "tls" "mtls" "sasl") }}yes{{ end -}}
{{- end }}

{{- define "framelane.usesSasl" -}}
{{- if has .Values.kafka.security (list "sasl" "sasl_plaintext") }}yes{{ end -}}
{{- end }}

{{/* The Secret of a role: (dict "root" $ "role" "worker"). */}}
{{- define "framelane.userSecret" -}}
{{- $user := index .root.Values.kafka.users .role -}}
{{ $user.secret | default $user.name }}
{{- end }}

{{/* (dict "root" $ "role" "worker") */}}
{{- define "framelane.kafkaEnv" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $user := index $kafka.users .role -}}
- {name: FRAMELANE_KAFKA__BOOTSTRAP, value: {{ include "framelane.bootstrap" .root | quote }}}
- {name: FRAMELANE_KAFKA__SECURITY, value: {{ $kafka.security }}}
{{- if and (include "framelane.usesTls" .root) (include "framelane.caSecret" .root) }}
- {name: FRAMELANE_KAFKA__CA, value: /run/secrets/kafka-ca/ca.crt}
{{- end }}
{{- if eq $kafka.security "mtls" }}
- {name: FRAMELANE_KAFKA__CERT, value: /run/secrets/kafka/user.crt}
- {name: FRAMELANE_KAFKA__KEY, value: /run/secrets/kafka/user.key}
{{- end }}
{{- if include "framelane.usesSasl" .root }}
- {name: FRAMELANE_KAFKA__MECHANISM, value: {{ $kafka.mechanism }}}
- {name: FRAMELANE_KAFKA__USERNAME, value: {{ $user.name | quote }}}
- {name: FRAMELANE_KAFKA__PASSWORD_FILE, value: /run/secrets/kafka/password}
{{- if eq $kafka.mechanism "OAUTHBEARER" }}
- {name: FRAMELANE_KAFKA__TOKEN_URL, value: {{ required "kafka.tokenUrl: OAUTHBEARER needs it" $kafka.tokenUrl | quote }}}
{{- with $kafka.scope }}
- {name: FRAMELANE_KAFKA__SCOPE, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "framelane.kafkaMounts" -}}
{{- if and (include "framelane.usesTls" .root) (include "framelane.caSecret" .root) }}
- {name: kafka-ca, mountPath: /run/secrets/kafka-ca, readOnly: true}
{{- end }}
{{- if or (eq .root.Values.kafka.security "mtls") (include "framelane.usesSasl" .root) }}
- {name: kafka, mountPath: /run/secrets/kafka, readOnly: true}
{{- end }}
{{- end }}

{{- define "framelane.kafkaVolumes" -}}
{{- $keys := .root.Values.kafka.keys -}}
{{- if and (include "framelane.usesTls" .root) (include "framelane.caSecret" .root) }}
- name: kafka-ca
  secret:
    secretName: {{ include "framelane.caSecret" .root }}
    items: [{key: {{ $keys.ca }}, path: ca.crt}]
{{- end }}
{{- if eq .root.Values.kafka.security "mtls" }}
- name: kafka
  secret:
    secretName: {{ include "framelane.userSecret" . }}
    defaultMode: 0440
    items: [{key: {{ $keys.cert }}, path: user.crt}, {key: {{ $keys.key }}, path: user.key}]
{{- else if include "framelane.usesSasl" .root }}
- name: kafka
  secret:
    secretName: {{ include "framelane.userSecret" . }}
    defaultMode: 0440
    items: [{key: {{ $keys.password }}, path: password}]
{{- end }}
{{- end }}
