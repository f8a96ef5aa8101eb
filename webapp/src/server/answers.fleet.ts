/** What the server answers of fleets: tables of devices, prepared devices and their labels, provisioning keys. */
export interface TableLine {
  line: number;
  id: string;
  outcome: 'registered' | 'there' | 'rejected';
  entity: string | null;
  secret: string | null;
  reason: string | null;
}

export interface TableAnswer {
  registered: number;
  there: number;
  rejected: number;
  lines: TableLine[];
}

export interface PreparedAnswer {
  id: string;
  secret: string | null;
  code: string | null;
}

export interface PreparedDevice {
  id: string;
  title: string;
  profile: string;
  created_by: string;
  created_at: string;
  claimed_by: string | null;
  claimed_at: string | null;
}

export interface LabelAnswer {
  code: string;
  url: string;
  qr_svg: string;
}

export interface ClaimedAnswer {
  id: string;
  entity: string;
}

export interface ProvisioningKey {
  name: string;
  profile: string;
  pattern: string;
  devices: number;
  max_devices: number;
  expires_at: string;
  revoked_at: string | null;
}

export interface NewKeyAnswer {
  name: string;
  secret: string;
}
