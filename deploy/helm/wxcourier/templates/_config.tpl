{{/* The configuration as the worker gets it: a StatefulSet's replicas are static members by their pods' names. */}}
{{- define "wxcourier.config" -}}
{{- $config := deepCopy .Values.config }}
{{- if eq .Values.workload "StatefulSet" }}
{{- $properties := dict "properties" (dict "group.instance.id" "${POD_NAME}") }}
{{- $_ := set $config "kafka" (mergeOverwrite $properties $config.kafka) }}
{{- end }}
{{- with .Values.admin }}{{ if .enabled }}
{{- $listen := printf "%s:%d" (ternary "0.0.0.0" "127.0.0.1" .exposed) (.port | int) }}
{{- $_ := set $config "admin" (dict "listen" $listen "token" (dict "file" (printf "%s/token" .mountPath))) }}
{{- end }}{{ end }}
{{- toYaml $config }}
{{- end }}

{{/* Seconds until SIGKILL: the drain limit, rounded up, and graceSeconds. */}}
{{- define "wxcourier.grace" -}}
{{- $limit := dig "delivery" "drain_timeout" "20s" .Values.config }}
{{- $drain := 0 }}
{{- if hasSuffix "ms" $limit }}{{ $drain = div (add (trimSuffix "ms" $limit | int) 999) 1000 }}
{{- else if hasSuffix "s" $limit }}{{ $drain = trimSuffix "s" $limit | int }}
{{- else }}{{ $drain = mul (trimSuffix "m" $limit | int) 60 }}{{ end }}
{{- add $drain .Values.graceSeconds }}
{{- end }}

{{- define "wxcourier.port" -}}
{{ .Values.config.http.listen | splitList ":" | last | int }}
{{- end }}

{{/* The names of the jobs topics, as a JSON list. */}}
{{- define "wxcourier.topics" -}}
{{- $names := list }}
{{- range dig "topics" "jobs" (list "push.jobs") .Values.config }}
{{- $names = append $names (kindIs "map" . | ternary (get (kindIs "map" . | ternary . dict) "name") .) }}
{{- end }}
{{- toJson $names }}
{{- end }}

{{/* The most replicas that can have something to do: one a partition, and as many as the apps' rates need. */}}
{{- define "wxcourier.maxReplicas" -}}
{{- $rate := 0 }}
{{- range .Values.config.apps }}
{{- $rate = add $rate (dig "rate" "per_second" 200 . | int) }}
{{- end }}
{{- $scaling := .Values.autoscaling }}
{{- $needed := div (sub (add $rate $scaling.messagesPerSecond) 1) $scaling.messagesPerSecond }}
{{- max $scaling.minReplicas (min $scaling.maxReplicas $scaling.partitions $needed) }}
{{- end }}
