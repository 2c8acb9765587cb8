/** UDP or TCP ports, both ends included. */
export interface PortRange {
  readonly min: number;
  readonly max: number;
}
