import type { Construct } from "constructs";
import { ArtifactFile, type EtlPlatform, GlueConnection, Zone } from "../index";
import type { ConnectionSettings } from "./connection-settings";

interface Connected {
  readonly pipeline: string;
  readonly connection: ConnectionSettings | undefined;
}

/**
 * The connection of a pipeline to its PostgreSQL.
 *
 * @throws Error without settings: the environment is to leave the pipeline out
 */
export function defineConnection(
  scope: Construct,
  id: string,
  platform: EtlPlatform,
  { pipeline, connection }: Connected,
): GlueConnection {
  if (connection === undefined)
    throw new Error(`Pipeline '${pipeline}': the settings of its connection are missing`);
  const { certificate, ...settings } = connection;
  const artifacts = platform.lake.location(Zone.ARTIFACTS, `${pipeline}/`);
  return new GlueConnection(scope, id, {
    ...settings,
    name: `${platform.name}-${pipeline}`,
    engine: "postgresql",
    certificate:
      certificate === undefined
        ? undefined
        : new ArtifactFile(scope, `${id}Certificate`, {
            source: certificate,
            artifacts,
            prefix: "certificates/",
          }),
    region: platform.region,
  });
}
