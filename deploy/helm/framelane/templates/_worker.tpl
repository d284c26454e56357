{{/* The pod of a worker, for fleets of either kind: (dict "root" $ "fleet" $fleet). */}}

{{- define "framelane.workerPod" -}}
{{- $root := .root -}}
{{- $fleet := .fleet -}}
{{- $role := dict "root" $root "role" "worker" -}}
{{- $component := dict "root" $root "component" (printf "worker-%s" $fleet.name) -}}
metadata:
  labels:
    {{- include "framelane.labels" $component | nindent 4 }}
    framelane.io/role: worker
  {{- with include "framelane.scrape" (dict "root" $root "port" 9464) | trim }}{{ . | nindent 2 }}{{ end }}
spec:
  {{- include "framelane.podBasics" $root | nindent 2 }}
  {{- include "framelane.spread" $component | nindent 2 }}
  # What is in flight is finished (twice 10 s at most), and the group left.
  terminationGracePeriodSeconds: 60
  containers:
    - name: worker
      {{- include "framelane.containerBasics" $root | nindent 6 }}
      args:
        - work
        - --pipelines=/etc/framelane/pipelines.toml
        - --pipeline={{ $fleet.pipeline }}
        - --watch
        - --threads={{ $fleet.threads }}
        - --metrics-host=0.0.0.0
        - --wait=5min
        - --log-level={{ $root.Values.logLevel }}
        {{- range $fleet.args }}
        - {{ . | quote }}
        {{- end }}
      env:
        {{- include "framelane.kafkaEnv" $role | nindent 8 }}
        {{- if not $fleet.autoscale }}
        # A worker's name in the group is its pod's, so that partitions wait for a pod that is started again.
        - name: POD_NAME
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        - name: FRAMELANE_KAFKA__LIBRDKAFKA
          value: '{"group.instance.id": "$(POD_NAME)", "session.timeout.ms": {{ mul (int $fleet.sessionSeconds) 1000 }}}'
        {{- end }}
        {{- with $fleet.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - {name: metrics, containerPort: 9464}
      # While it waits for Kafka at the start, it answers nobody; after five minutes it ends by itself.
      startupProbe:
        httpGet: {path: /healthz, port: metrics}
        periodSeconds: 2
        failureThreshold: 180
      livenessProbe:
        httpGet: {path: /healthz, port: metrics}
        periodSeconds: 10
        failureThreshold: 3
        timeoutSeconds: 5
      readinessProbe:
        httpGet: {path: /readyz, port: metrics}
        periodSeconds: 5
        timeoutSeconds: 5
      resources:
        {{- toYaml $fleet.resources | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        - {name: pipelines, mountPath: /etc/framelane, readOnly: true}
        {{- with include "framelane.kafkaMounts" $role | trim }}{{ . | nindent 8 }}{{ end }}
        {{- with $fleet.volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 64Mi}
    - name: pipelines
      configMap: {name: {{ include "framelane.name" $root }}-pipelines}
    {{- with include "framelane.kafkaVolumes" $role | trim }}{{ . | nindent 4 }}{{ end }}
    {{- with $fleet.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
