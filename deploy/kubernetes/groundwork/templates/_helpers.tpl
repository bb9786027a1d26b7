{{/* The names of all objects begin with it. */}}
{{- define "groundwork.name" -}}
{{- .Values.nameOverride | default .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "groundwork.selector" -}}
app.kubernetes.io/name: groundwork
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "groundwork.labels" -}}
{{ include "groundwork.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "groundwork.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Dict: root, image. The image for backups has the version of the service. */}}
{{- define "groundwork.imageOf" -}}
{{- with .image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.root.Values.image.tag | default $.root.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "groundwork.serviceAccount" -}}
{{- with .Values.serviceAccount -}}
{{- if .create }}{{ .name | default (include "groundwork.name" $) }}{{ else }}{{ .name | default "default" }}{{ end }}
{{- end }}
{{- end }}

{{/* Dict: root, variable. Where the file of a variable is, below /run/secrets/groundwork. */}}
{{- define "groundwork.secretPath" -}}
{{- $source := index .root.Values.secret.files .variable -}}
{{- if kindIs "string" $source }}{{ $source }}{{ else }}{{ .variable | trimSuffix "_FILE" | lower }}{{ end }}
{{- end }}

{{/* Dict: root, component, role. What every pod has. */}}
{{- define "groundwork.pod" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
# Nothing in it asks the cluster's API, unless serviceAccount says otherwise.
serviceAccountName: {{ .serviceAccount | default (include "groundwork.serviceAccount" .root) }}
automountServiceAccountToken: {{ .root.Values.serviceAccount.automount }}
enableServiceLinks: false
{{- with .root.Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: secrets
    projected:
      defaultMode: 0440
      sources:
        {{- $isNamed := false }}
        {{- range $source := .root.Values.secret.files }}
        {{- if kindIs "string" $source }}{{ $isNamed = true }}{{ end }}
        {{- end }}
        {{- if $isNamed }}
        - secret: { name: {{ .root.Values.secret.name }} }
        {{- end }}
        {{- range $variable, $source := .root.Values.secret.files }}
        {{- if kindIs "map" $source }}
        - secret:
            name: {{ $source.secret }}
            items: [{ key: {{ $source.key | quote }}, path: {{ include "groundwork.secretPath" (dict "root" $.root "variable" $variable) }} }]
        {{- end }}
        {{- end }}
  - name: tmp
    emptyDir: { sizeLimit: {{ .tmpSize | default "64Mi" }} }
  {{- with .volumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .root.Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Dict: root, role, image and mounts where they differ. What every container has. */}}
{{- define "groundwork.container" -}}
image: {{ .image | default (include "groundwork.image" .root) }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
{{- with .root.Values.containerSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat .root.Values.envFrom (.envFrom | default list) }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
env:
  - name: APP_ROLE
    value: {{ .role }}
  - name: APP_DATABASE__MIGRATE_ON_START
    value: "false"
  - name: APP_SERVER__TRUSTED_PROXIES
    value: {{ join "," .root.Values.trustedProxies | quote }}
  - name: APP_SERVER__DRAIN_DELAY
    value: {{ printf "%ds" (int .root.Values.shutdown.drainDelay) }}
  - name: APP_SERVER__SHUTDOWN_TIMEOUT
    value: {{ printf "%ds" (int .root.Values.shutdown.shutdownTimeout) }}
  {{- range $name, $value := .root.Values.config }}
  {{- if $value }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
  {{- end }}
  {{- range $name, $source := .root.Values.secret.files }}
  {{- if $source }}
  - name: {{ $name }}
    value: /run/secrets/groundwork/{{ include "groundwork.secretPath" (dict "root" $.root "variable" $name) }}
  {{- end }}
  {{- end }}
  {{- with .root.Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumeMounts:
  - name: secrets
    mountPath: /run/secrets/groundwork
    readOnly: true
  - name: tmp
    mountPath: /tmp
  {{- with .mounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .root.Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Dict: root, component, role, replicas, resources. */}}
{{- define "groundwork.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "groundwork.name" .root }}-{{ .component }}
  labels:
    {{- include "groundwork.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  {{- if not (kindIs "invalid" .replicas) }}
  replicas: {{ .replicas }}
  {{- end }}
  # The new one is there before the old one goes.
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  selector:
    matchLabels:
      {{- include "groundwork.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  template:
    metadata:
      labels:
        {{- include "groundwork.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
        # Jobs serve no metrics.
        groundwork/metrics: "true"
      {{- with .root.Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "groundwork.pod" . | nindent 6 }}
      # Longer than the service takes to end, so that it is never cut off.
      terminationGracePeriodSeconds: {{ add .root.Values.shutdown.shutdownTimeout 10 }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "groundwork.selector" .root | nindent 14 }}
              app.kubernetes.io/component: {{ .component }}
      containers:
        - name: groundwork
          {{- include "groundwork.container" . | nindent 10 }}
          ports:
            - name: http
              containerPort: 8080
          # Two minutes to start in, for a database that is slow to come.
          startupProbe:
            httpGet: { path: /live, port: http }
            periodSeconds: 2
            timeoutSeconds: 3
            failureThreshold: 60
          # Never /ready: a restart brings no database back.
          livenessProbe:
            httpGet: { path: /live, port: http }
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 3
          readinessProbe:
            httpGet: { path: /ready, port: http }
            periodSeconds: 2
            timeoutSeconds: 3
            failureThreshold: 1
          resources:
            {{- toYaml .resources | nindent 12 }}
{{- end }}
