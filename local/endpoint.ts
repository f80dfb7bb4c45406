/** How to reach the embedded AWS. */
export interface Endpoint {
  readonly endpoint: string;
  /** The certificate that its clients must trust. */
  readonly caBundle: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Aborted when the server ends unexpectedly. */
  readonly gone?: AbortSignal;
}
