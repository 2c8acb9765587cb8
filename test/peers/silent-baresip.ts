import fs from 'node:fs';
import path from 'node:path';

/** Settings of a baresip on a machine without a sound card: it says a tone and plays to nobody. */
export function silentBaresip(folder: string): void {
  const lines = [
    ...['sip_listen 127.0.0.1:0', 'net_interface 127.0.0.1'],
    ...['audio_source ausine,440', 'audio_player aubridge,nobody', 'audio_alert aubridge,nobody'],
    ...['ausrc_srate 48000', 'ausrc_channels 2', 'auplay_srate 48000', 'auplay_channels 2'],
    'module_path /usr/lib/baresip/modules',
    ...['g711', 'ausine', 'aubridge'].map((name) => `module ${name}.so`),
    ...['account', 'menu'].map((name) => `module_app ${name}.so`),
  ];
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'config'), `${lines.join('\n')}\n`);
  for (const name of ['accounts', 'contacts']) fs.writeFileSync(path.join(folder, name), '');
}
