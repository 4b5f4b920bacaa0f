// What no schema knows: that the parts of a rendered manifest fit together, and
// that the pods are as safe as they can be.

const covers = (selector, labels) => selector !== undefined &&
    Object.keys(selector).length > 0 &&
    Object.entries(selector).every(([key, value]) => labels?.[key] === value);

function* containerErrors(container, pod, documents) {
  const security = container.securityContext ?? {};
  if (security.readOnlyRootFilesystem !== true) {
    yield 'can write to its root file system';
  }
  if (security.allowPrivilegeEscalation !== false) {
    yield 'may gain privileges';
  }
  if (!security.capabilities?.drop?.includes('ALL')) {
    yield 'keeps capabilities';
  }
  if (!container.resources?.requests?.cpu || !container.resources?.limits?.memory) {
    yield 'has no requests.cpu or no limits.memory';
  }
  if (!/:[^:@/]+$/.test(container.image) || container.image.endsWith(':latest')) {
    yield `has the image ${container.image}, which names no version`;
  }
  for (const {configMapRef} of container.envFrom ?? []) {
    if (!documents.some((d) => d.kind === 'ConfigMap' && d.metadata.name === configMapRef.name)) {
      yield `reads the ConfigMap ${configMapRef.name}, which does not exist`;
    }
  }
  for (const mount of container.volumeMounts ?? []) {
    if (!pod.volumes?.some((volume) => volume.name === mount.name)) {
      yield `mounts the volume ${mount.name}, which does not exist`;
    }
  }
}

function* probeErrors(container) {
  const {startupProbe, readinessProbe, livenessProbe} = container;
  for (const [name, probe] of Object.entries({startupProbe, readinessProbe, livenessProbe})) {
    if (!probe?.grpc) {
      yield `has no ${name} over gRPC`;
    } else if (!container.ports.some((port) => port.containerPort === probe.grpc.port)) {
      yield `has a ${name} on port ${probe.grpc.port}, which it does not open`;
    }
  }
  if (livenessProbe?.grpc?.service !== 'liveness') {
    yield 'has a livenessProbe that fails while it drains';
  }
}

// The settings that a container gets from ConfigMaps.
function settingsOf(container, documents) {
  const names = (container.envFrom ?? []).map((from) => from.configMapRef?.name);
  const maps = documents.filter((d) => d.kind === 'ConfigMap' && names.includes(d.metadata.name));
  return Object.assign({}, ...maps.map((map) => map.data));
}

function* deploymentErrors(deployment, documents) {
  const of = (kind) => documents.filter((document) => document.kind === kind);
  const {template, selector, replicas} = deployment.spec;
  const {metadata: {labels}, spec: pod} = template;
  if (!covers(selector.matchLabels, labels)) {
    yield 'selects no pods of its own';
  }
  if (pod.securityContext?.runAsNonRoot !== true ||
      pod.securityContext?.seccompProfile?.type !== 'RuntimeDefault') {
    yield 'may run as root, or without seccomp';
  }
  if (pod.automountServiceAccountToken !== false) {
    yield 'gives its pods a token of the API server';
  }
  if (!of('ServiceAccount').some((d) => d.metadata.name === pod.serviceAccountName)) {
    yield `uses the ServiceAccount ${pod.serviceAccountName}, which does not exist`;
  }
  for (const kind of ['PodDisruptionBudget', 'NetworkPolicy']) {
    const selectors = of(kind).map((d) => (d.spec.selector ?? d.spec.podSelector)?.matchLabels);
    if (!selectors.some((each) => covers(each, labels))) {
      yield `is selected by no ${kind}`;
    }
  }
  for (const constraint of pod.topologySpreadConstraints ?? [{}]) {
    if (!covers(constraint.labelSelector?.matchLabels, labels)) {
      yield 'spreads other pods than its own, or none';
    }
  }
  if (!of('Service').some((d) => d.spec.clusterIP === 'None' && covers(d.spec.selector, labels))) {
    yield 'is behind no headless Service';
  }
  if (of('HorizontalPodAutoscaler').length + of('ScaledObject').length > 0 && replicas !== undefined) {
    yield 'sets replicas, which the autoscaler sets too';
  }
  for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
    for (const error of containerErrors(container, pod, documents)) {
      yield `container ${container.name} ${error}`;
    }
  }
  for (const container of pod.containers) {
    for (const error of probeErrors(container)) {
      yield `container ${container.name} ${error}`;
    }
    const settings = settingsOf(container, documents);
    const needed = (container.lifecycle?.preStop?.sleep?.seconds ?? 0) +
        Number(settings.RELUD_LAME_DUCK ?? 0) + Number(settings.RELUD_DRAIN_TIMEOUT ?? 30);
    if (!(pod.terminationGracePeriodSeconds > needed)) {
      yield `gives ${pod.terminationGracePeriodSeconds} s to end, but preStop, lame duck and drain take ${needed} s`;
    }
  }
}

function* linkErrors(documents) {
  const of = (kind) => documents.filter((document) => document.kind === kind);
  for (const service of of('Service')) {
    const target = of('Deployment').find((d) => covers(service.spec.selector, d.spec.template.metadata.labels));
    if (!target) {
      yield `Service ${service.metadata.name} selects nothing`;
      continue;
    }
    const open = target.spec.template.spec.containers.flatMap((container) => container.ports);
    for (const {targetPort} of service.spec.ports) {
      if (!open.some((port) => port.name === targetPort || port.containerPort === targetPort)) {
        yield `Service ${service.metadata.name} leads to port ${targetPort}, which no container opens`;
      }
    }
  }
  for (const scaler of [...of('HorizontalPodAutoscaler'), ...of('ScaledObject')]) {
    const target = scaler.spec.scaleTargetRef;
    if (!of(target.kind ?? 'Deployment').some((d) => d.metadata.name === target.name)) {
      yield `${scaler.kind} ${scaler.metadata.name} scales ${target.name}, which does not exist`;
    }
  }
  for (const monitor of of('ServiceMonitor')) {
    for (const endpoint of monitor.spec.endpoints) {
      if (!of('Service').some((d) => covers(monitor.spec.selector.matchLabels, d.metadata.labels) &&
                                     d.spec.ports.some((port) => port.name === endpoint.port))) {
        yield `ServiceMonitor ${monitor.metadata.name} finds no port ${endpoint.port}`;
      }
    }
  }
}

// Errors of one rendered overlay: a list of documents.
export function policyErrors(documents) {
  const errors = [...linkErrors(documents)];
  for (const deployment of documents.filter((document) => document.kind === 'Deployment')) {
    for (const error of deploymentErrors(deployment, documents)) {
      errors.push(`Deployment ${deployment.metadata.name} ${error}`);
    }
  }
  return errors;
}
