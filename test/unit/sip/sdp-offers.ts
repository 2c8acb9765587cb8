/** Offers as phones, exchanges and browsers write them, with the addresses of RFC 5737. */

export const LINPHONE = `v=0
o=alice 3127 1856 IN IP4 198.51.100.20
s=Talk
c=IN IP4 198.51.100.20
t=0 0
a=ice-pwd:5b0a3c5a7a1d8f0f2c5e9b1a
a=ice-ufrag:8d2c1a3f
a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics
a=record:off
m=audio 7078 RTP/AVPF 96 97 98 0 8 18 101 99 100
c=IN IP4 203.0.113.9
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1
a=rtpmap:97 speex/16000
a=fmtp:97 vbr=on
a=rtpmap:98 speex/8000
a=fmtp:98 vbr=on
a=fmtp:18 annexb=yes
a=rtpmap:101 telephone-event/48000
a=rtpmap:99 telephone-event/16000
a=rtpmap:100 telephone-event/8000
a=rtcp:60123
a=candidate:1 1 UDP 2130706303 198.51.100.20 7078 typ host
a=candidate:1 2 UDP 2130706302 198.51.100.20 7079 typ host
a=candidate:2 1 UDP 1694498687 203.0.113.9 7078 typ srflx raddr 198.51.100.20 rport 7078
a=rtcp-fb:* trr-int 1000
a=rtcp-fb:* ccm tmmbr
m=video 9078 RTP/AVPF 96 97
a=rtpmap:96 VP8/90000
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42801F
a=rtcp-fb:96 nack pli
`;

export const BARESIP = `v=0
o=- 1530187520 1287653421 IN IP4 198.51.100.21
s=-
c=IN IP4 198.51.100.21
t=0 0
a=tool:baresip 1.0.0
m=audio 21756 RTP/AVP 96 0 8 101
b=AS:125
a=rtpmap:96 opus/48000/2
a=fmtp:96 stereo=1;sprop-stereo=1;maxaveragebitrate=28000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtcp:21757
a=sendrecv
a=label:1
a=rtcp-rsize
a=ssrc:1287653421 cname:sip:alice@example.org
a=ptime:20
a=minptime:5
`;

export const ASTERISK = `v=0
o=root 1821 1821 IN IP4 198.51.100.22
s=Asterisk PBX 18.10.0
c=IN IP4 198.51.100.22
t=0 0
m=audio 14202 RTP/AVP 8 0 3 101
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:3 GSM/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=maxptime:150
a=sendrecv
`;

export const CISCO = `v=0
o=Cisco-SIPUA 8271 0 IN IP4 198.51.100.23
s=SIP Call
b=AS:4064
t=0 0
m=audio 17180 RTP/AVP 114 9 124 0 8 116 18 101
c=IN IP4 198.51.100.23
b=TIAS:64000
a=rtpmap:114 opus/48000/2
a=fmtp:114 maxplaybackrate=16000;sprop-maxcapturerate=16000;maxaveragebitrate=64000;stereo=0;sprop-stereo=0;usedtx=0
a=rtpmap:9 G722/8000
a=rtpmap:124 ISAC/16000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:116 iLBC/8000
a=fmtp:116 mode=20
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=yes
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
m=video 17182 RTP/AVP 126
c=IN IP4 198.51.100.23
a=rtpmap:126 H264/90000
a=fmtp:126 profile-level-id=428016;packetization-mode=1
a=content:main
m=application 17184 UDP/BFCP *
c=IN IP4 198.51.100.23
a=floorctrl:c-s
m=application 17186 RTP/AVP 125
a=rtpmap:125 H224/4800
`;

export const GRANDSTREAM = `v=0
o=1001 8000 8000 IN IP4 198.51.100.24
s=SIP Call
c=IN IP4 198.51.100.24
t=0 0
m=audio 5004 RTP/AVP 18 0 8 2 101
a=sendrecv
a=rtpmap:18 G729/8000
a=fmtp:18 annexb=no
a=rtpmap:0 PCMU/8000
a=ptime:20
a=rtpmap:8 PCMA/8000
a=rtpmap:2 G726-32/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
`;

export const FREESWITCH = `v=0
o=FreeSWITCH 1700000000 1700000001 IN IP4 198.51.100.25
s=FreeSWITCH
c=IN IP4 198.51.100.25
t=0 0
m=audio 28106 RTP/AVP 102 9 0 8 103 101 13
a=rtpmap:102 opus/48000/2
a=fmtp:102 useinbandfec=1; maxaveragebitrate=30000; maxplaybackrate=48000; ptime=20; minptime=10; maxptime=40
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:103 telephone-event/48000
a=fmtp:103 0-15
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtpmap:13 CN/8000
a=rtcp-mux
a=rtcp:28106 IN IP4 198.51.100.25
a=ptime:20
`;

export const ZOIPER = `v=0
o=Z 1700000000123 1 IN IP6 2001:db8::7
s=Z
c=IN IP6 2001:db8::7
t=0 0
m=audio 8000 RTP/AVP 3 110 8 0 98
a=rtpmap:110 speex/8000
a=rtpmap:98 telephone-event/8000
a=fmtp:98 0-16
a=sendrecv
`;

export const CHROME = `v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS stream
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:F7gI
a=ice-pwd:x9cml/YzichV2+XlhiMu8g12
a=fingerprint:sha-256 49:66:12:17:0D:1C:91:AE:57:4C:C6:36:DD:D5:97:D2:7D:62:C9:9A:7F:B9:A3:F4:70:03:E7:43:91:73:23:5E
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
`;

export const FAX = `v=0
o=gw 100 101 IN IP4 198.51.100.26
s=-
c=IN IP4 198.51.100.26
t=0 0
m=image 6000 udptl t38
a=T38FaxVersion:0
a=T38MaxBitRate:14400
a=T38FaxRateManagement:transferredTCF
a=T38FaxMaxBuffer:262
a=T38FaxUdpEC:t38UDPRedundancy
`;

export const FAX_BESIDE_AUDIO = `${FAX}m=audio 6002 RTP/AVP 8\n`;

export const ENCRYPTED_ONLY = `v=0
o=- 20000 20000 IN IP4 198.51.100.27
s=-
c=IN IP4 198.51.100.27
t=0 0
m=audio 11780 RTP/SAVP 9 8 0 101
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR
a=rtpmap:101 telephone-event/8000
`;

export const ENCRYPTED_OR_PLAIN = `${ENCRYPTED_ONLY}m=audio 11780 RTP/AVP 9 8 0 101\na=rtpmap:101 telephone-event/8000\n`;
