/**
 * Five frames of 128x96 that x264 made at 10 frames a second: High profile with B-frames, two slices a frame, access unit
 * delimiters; as they come in FLV, with the record that goes before them.
 */

export const X264_CONFIG = Buffer.from(
  '0164000affe100186764000aacd9420db011000003000100000300140f12259601000568ef8472c0fdf8f800',
  'hex',
);

export const X264_FRAMES: readonly {
  readonly key: boolean;
  readonly compositionMs: number;
  readonly data: Buffer;
}[] = [
  {
    key: true,
    compositionMs: 200,
    data: Buffer.from(
      'AAAAAgkQAAAFrmWIhABH2l/b6YwHnBG7OVz8WIORH4FDqKePNO34SMxH9Ic3fEBGqXwdk2qDeynI6PLmd6vnLra5dE0raoMlpzNr' +
        'NPiXHIudsZf//yMBLxrRl/Kx4X/XHJ5zWyUYFBFVFxWgTDt74jXncFx482Mqubqr5zqXmm77M+gQ/C1mwbwpEvkwqpsGY9M7GVl2' +
        'YbZ2WyBK5raKn8FjoB6qAuyytqVT9gHIloBj/gU5T/y9a24+1cdbIXPgHAHusLd7GEwOO1UPk2T5we0moXDjGsiJ1E7SSNeUp+6C' +
        'z9PrZMqqBNtp6F+7Mz3Z7E6UtcjQ1+9XTLLSsOn3/NaFZfj+jhH8Gs5K64RiIYrFxjA47jpD70VMCyH4RhPSL3VhLAPURES1CXA+' +
        'cX1wYGOgkdtNMRpV52ZbzW1D6sNB6QvGX8TUPt8GX9B6l496GK1EMhAoLUN8S08kt1fvPnlolItJS4MEz1a79BAw89h6hbiBo+GT' +
        'lM3CcZDTSweiUH0u/YB7Xn9VLu8zbOXdQ9Ubk64W79d24tXNl1cQN0Rh9VPIPCOOZxIJsUlg22GwW+UfgVFBBn/P5+C1J9Gg/gj6' +
        'LFBP99z+j2Eb9+0pLttaUzYFup7zwmniBYMcX/7YJXEsGAqXjvLNk9lZTY+75Vi036EbWkI6FCSJBqLcHeo/BJvPJMzkBtypaDs/' +
        'WvV6Ey3qkfbrItDSRKyB89rn48Z8fK6uKXrnbJsr/B+DJ9OJx2RM8Mp7CLa+wfWUH0D479cSovKkvFBOEebNPRsztw19bVKqIoSd' +
        '7yne/PG+XFYxw6hjQriMr79d0QjwuJWxW4IEBYMhr7nk3rL8uQOIlnlZrU6HPSMjsS9/5uPrUj5AxmkdUfNetSEX2gs35aNqoZnl' +
        'WN7RC3sO+784c+5f5qv5Hwpa/HQFnZ/Iim61rUqB5fTDoE4q5U38d7bSpp7HjpDKu1EdaMjlYc65cKdaXZC0frf4CDqW9lys2M0x' +
        'GhSsFWpQNuWPtpJJxYUemBksU2K2EL+PuPUH94izgU9UCoyS3kZL2M5g5jtN9EJCCqMRkEcIIUuEAACA73wu1Eor1ym9V/6G0yJ2' +
        '8S9giIGNqZOt86fT6+P0Ssu3dYnWseB8RezyUeUxoYSNiZQ/LqWO8BEnWtL9OIx193MF6OAugWT21FwpgwKG/Fe9+Ms2R98W8QB8' +
        'XhIg4aE+Nam9EoQEYQ9gkIwChIEij5N3XjL5R2WbBf/xNtTVzEZQc3fgRRQ9Ps1SQAf1/6Dk1Qj0zoaVVGkXeU079cxD0yej6SLy' +
        'p2i/Y4R6tN2LGBKKRpJGOM6CeiHjYhDlF82lcitrAjOE31MoY/HlVHMT5/WJh+8o7ykXztGho/UtT2YOuboGWhzza+d+aaVccU2X' +
        '4AOcNcKV9AhcoYwvLb1FVAQxf8yzs+WHZWtOMVBIaIGUX44eLwMwZZvhwW9hEqMwstk6O+I0SasvOI4o80JRylrgaDK/8w4h2ZwJ' +
        'gTLSUm0P+6XqrSDLMYImB9DgN37LrMejpTq7HLhvLM7VakCDx4R3DLkeG4li6NfETSjsiNI9tiC315oEycq1T88enFAKU1nfB/04' +
        'OfGjE2q29m0YqTCg4NLZIFZtXdfXZxUGUKP4tNm2ivmQQ4iIuaipb90JkX35GBNSpGJH/cqi594dfg1Z963/f28foMAW4JBELKKV' +
        'CEhpqsKL2RD2HZ2PqKI737Tu6a7NHQE+keKqqFY9vDbYKkkXUxNKkhLra56NGcJyKVAQoc1XrlW1gY+Tpp8ts4dSLwKSISlJQB+f' +
        'ZYH1N+HIjSFDF/EBIpinKz5f6AxGW0lPzIuU43Pg6lWWAP7ezeiwRI4U7FTN2DotzRTuTuw4PMfmz/HaoHjWnysHNvZWZCpkJSzP' +
        'ADRvM4Gu2JMPmJeTQmrIHryvnKXAb5JOf25DlPBO/2HX3dTiu0DBAAADt2UMiIQA3xL/RFjBJ3/P6bfnyG//FGRJZaR0TatZuTmP' +
        'BG6EY6PJZM7GIXWI+vUZS6Ku6lAIOh9ap3W/YOUo6y9aDS/S9O6GSzL74Qa297oQ8UD56CNyJuHSi00lDz6B9WA4k4sB1pY8iVqW' +
        'scXwWtNyj9FBKLOaVRDliBX5jwTc/owS16gSp99qYAgP+4qDVcySs0z9V8mkKBB8GHSnDt7nou99Nf+H2hhzJxvEUM3MG2xh823V' +
        'bRfojvHGDrdE4ToH/9mRq2vje+Rao2ubuHPoUxbjx3DRBML7ztL5xN+E1Dvx8ZFyHBtWJpZLxfotcRTmO1fE4gDXkzT1mXglfJHy' +
        'K5l7dGtXIKS0ooVXBdSnBM7bm4v2ZiVWK4lzhAhyNBNao9QRje5iqAqFQPVB0z8q+Gbdie86oVCbuFpKbcdD3IczYEEB7RMeHy6o' +
        'uNGDcsBnE+nGYrAx9QxVRiSq3Z9kmFjYn//9/tMH/WMSOVAQUvaa+SOUG5iG62acdN6IDkDzcDd/2WkTiM32s7ehDsATzJV7u/hT' +
        'PMaSBRjXg9OQR3qt1dT4p8SG2THTp2jGK/b3JiDlcaS6eSvovO/hh7bHQdiwSumTUqS7Xjo+++Z5f+++KCrJzhRZpoKv3MZMrYmI' +
        '+7kTONjwMMeDsbaarZk4jBNOMPLtVEgdkr4lUmO3krt1LLWHfb9l+KMAWV5rwlIDXn2LX3fmCweuUED1by/zgxf5O+471lfWtAGE' +
        'XbwYNxqQIVO++uNX4D+8kB9vMuyr7aejcRSfa1QvugaSF5XiTVf9zU6ZnPZ5E9OED05Rad4/HR6SOjyxPeklrDDWmoERiV4Jfu0S' +
        '0RHJBAQ4UBbpYclhBXEj74yucAXgLxaerLv3PgqFgZGuAUaXSqtFUNk+cVHfksxt88c3mkVmUCmSvP6lKnBQBnb1xpIHCGMmNrMw' +
        'uMkMFE6dhGLI9S39YsW724H2h4RA+dXwLAyZLRiY8u8Af4adUDanaSEv3WFYBsDUsYlVMbBl5HcRQ/0jKLyCRsUel/e6r5IzH2D6' +
        'AgVV+Ja3/558n4S2Z56loADUvouMNJNb0CdGFAqRbdtPGuzElsOFRFxpO6+H2C8CGppyCOGimJPGpuwcWnwjD8/MmDTyUddkPuJv' +
        'a3hRR8CX6fo3brRyazW1egclXQL5RArb47r4B4Ues3kmEQN47Hu6bZJXqQPPuKO11PbKW7wJb9f9u8EOemheaD2e2KRiGbFWfQJW' +
        'uxJmZMWbb97MA6Pm4XQDBuloHw==',
      'base64',
    ),
  },
  {
    key: false,
    compositionMs: 400,
    data: Buffer.from(
      'AAAAAgkwAAADSUGaIxiM/91q9/lgKQsrAdREJe3EZszI+rhdEwYmZeQoFja6agmcbpyIu5RRMXhD+RJ3p6yKgawggEcxmP+VFr7i' +
        'mQEWCABDqnnD3jpeMdDPI+r1OPiVwtKGLjOpdzS+1Rh1kjcz/+Onwo+yyVu8d1mo2n1xljPvvVigePikgMOuA9fVLzbrOGyIOxAl' +
        'Np7aOxOTF883++mAopeQW4x0I4jNgdUeBBBDfFgpksRzuCmAuxVZf1SUaW+VlE4NmtJlmnx2y/J+qL+wvd8L5fdFIJVi/FzuXYUD' +
        'ORUHwEsS8iSJItPEBGcw9jsOnzQbqyAECyb+H3nmHMlXVLm4kIGn6GE8jChKNTUiN1wwOCQCSaKSXSHf/3OQ8RX/C80r6RbEBDUe' +
        'fpXA9faxMB5KGGClDPAsr3GMI2T0yFJkqli2KgPwMXyRBmrXq5/oI+AqPfCG319//3dLEnSbsc02VeMAPP6r6EEG7knH06NQ4obO' +
        'm9Qq/61rhaETbM9i3Bny0yNErA2TMUtWLI3uiq34+rRDFLEEAHqqTrwbHHlQ+GJZWjOpZn+vTyYEKF/XSBffHCelNpZTcPWfmz28' +
        'i89+f3G2X2xNMxYB0h79mipbbJ6M9vW+SGvfzzSi64r2/I/djrG7zeIC782N9hlBrzubItLE7c+qfErHacmBVWHA5uFkXCVOCiWK' +
        '/8LWPAOCgn6T5kexcovqk7nC+pfambMYBjWjXef+5XZZT09fewmqYZCUA24TmOomFIUQWtLVCUwTfRTFyGTGJVjG9CE5rRJAh698' +
        'P1oNOK61yAZLxlW8FqoSVEFSnngdAiMtp+M9xE+gUQ7iohkrxcmk8cdpn/uSBxo2hg9eYtXhQtxypmChGbrVr/qO/CiaBapfb/AC' +
        'jRwOVp/0AZKCcWQxwVWXgALDdOV/H2Mr+K6QgzsG6Zpwcvpcyn92qpC6l/436IdUlSA9ci6HUnEC8bLs7YgAprJGNRvABAQ1C6m7' +
        '5U+e2IdQcrVIEJBArD1QL5172Qp96tkEXHAwVQJRysMsee9rGNRDhDJIpmYuAGancjieBP2AGMPD+yvsyAHzjsxC4CBEynJCRqtc' +
        'g1iKVxwb368ADaQAh8Y38x2PjzpKKrjJjx8AAALFQQyaIxib//ZBY9HZIH+Hn8b1OXdtafh7c6rUg9VDhs2lL7vXhyGPNNtCEdOc' +
        'v/PFhbrIqH26dzlfna7O/vsLRwh0iwC3kqRX0/vHuNc1kXNQwxYMXzlDj9K3Al4xERpDpYD1ZUMXdpgedypjsC/9iytqil4tLpBa' +
        'kaEDleQGbOejBWgU6GXI1TF8L2SFCvTeyigsml4QGx/0DIl70kZzIC2quo//h9m0ziUd/2KvzVTefgsvWZx0IlioelsjrV2tOVKW' +
        'h/sWWghl3kH+EgU+8VJYeT659caQ2y5emRrvYF6vWWd2PSKlUtjcucDXNOr0q68E7/Z8/TZLasbkBgzSQOM7e//9ZH62sPm8M0pS' +
        'B6NinmTU9NcqLI6U0mA9AG/OM/OJraHK9uCMclmEMGebgPO6fx4MlIL5g5p62/HdPOSD8dk4k6n8720bqap1RLaxEL9JuI/l0yTv' +
        'IogKUTBdGJ9E/kBNbfkC6XYjyfgo1XONeN4TPfxyXSTnU6ZcGMSiXicRNxr0CgifMuo4OKCPgt/guEGicq0DjmsqIAXJJai2dsuC' +
        'wFssoxdpNoMhwxrBDsJQBoEoz6D42vw2ZRUvU/fmA2zSf2+GBx3mrZMXBWixqmU+I2IhAh2zUZqVQfn2sZGFCB+FzLl4pj9ZTsw3' +
        'rezQnVVgnblYUPnGYVz1F0lJmUsqGlTOU9/m5RYzkhjc6tgq3KbePsMyBb2cMdoy4jP5aMaCmmrAFZnjhOKAI83DCULLgMQ+AIKK' +
        'BUtWzORkYisH4LfRNndJ9pYHJRsssGBHeJGoMPUUCEkV2WCOfBH6aU7Xygu0EH6oXOPRgRS2zd8z+JpFSl1pmtTXpvxpTkBBksaI' +
        'H3yv2ll0d+lQxkyrgnhVG+MBWcA2gRPf3KVvAyaIAg9hKX6whGRXP1efsXXh2lTK1RmYT2YdI1BroxunzCDtgA==',
      'base64',
    ),
  },
  {
    key: false,
    compositionMs: 100,
    data: Buffer.from(
      'AAAAAglQAAACNUGeQUI7//7fM+OpURh4R6zLffttaX/0llWDhkfgnBbVvrwedmSwCz/FSFE6EIlHsjKEmD9TMRktOUOfKgmCq/Ii' +
        '9VcPyPWdSUJSuSk9Fb8ZmvNbvFudljC+OWJ7HqZffvFzBBqdF5ej/z4FRvqc7jXz/5k9X0l9RVr+D+LCR/m3IhB/70HZv7LF/6Ns' +
        'hU09OhBiWbhWXOHVfTWH5XfYbqkW31IesRqCrMBZ+AQgheDiCINB1w7uQ1BpRR2nFjMXScnESAxNtdPJH6mNAP18SlHyIi6nXtIa' +
        'E4rMe9ABlehXUid+Q4Vd8bxer1BgPTB+OIZKDTDy+jXS6/vIW5/qKJop1rVWA497oJmXcmnoinMA95o74kgzj2vPAezlLwr2nrL2' +
        'Vempmc+A1emXSco6FRhws6yw+fa2/ImSt8FZKuBpUGKLwj+DRdsTI1PcUwMk9iixe5ReQPE94a6fpb6WZ4DXAWbPXS6PPq2Ha5iK' +
        'aE96tew2QzuIoq4u1/+kL+k6YbLpfo7zGQ1zsygudsZY05/JR/UP0sEpkrW77myjeGm9hkDcatOsFaj+AYFZEr31MyW1ZA94ba22' +
        'YOGeSYzzaLx0SSTZ3hEHgAhoyT5LOUTyFNhuqSaS3EYW72nuWt2hb0dPong3jBK0uhe405RlHtmfoKD+4XKH2aRGM8qHZKqdWMCt' +
        'vHu8SaygJEhWQMeMtvNq4vX1nvhTa10s4uvLldY0jZ8rz7nDP234Y2TtQZPcgLaZHosAAAH2QQyeQUJv/pXr744K5hTzuwpNHGvU' +
        'oxpVp220Lcr3LlVvgQQ2MTbrEwFethx5lAfCrN8m1FCWhgFFSxhmK6y+QGL+Jdm2vIQnvya2u+KR1WNcsS2CGcNWOnjUmH7kIjy7' +
        'bF++g2Sbpt0WYDZyx6Ll40DkuOFO94mprnh7N7eCgCmhIMEyNIQVrXFG4zggZJxemCiUzRs6TCDPjrlSm0jjsosCGNcv2Krn50nY' +
        'bmQ+ydyntZwmgmMhxQ+OQ75Hvk/v6IKzVwXj1eInwezrxF5m/JWzHy1prnNBt5PezH8hg7Fcx5DH5rR31r7KpB5Cu3NawaB93gsL' +
        'C0Gvw9iU/+5cSPKy+bqQyiJ8F3Mm3qxSuXSJpaXSkJyccUTNFexsFmTplLIcf70R5kaK/VtPKIlJ5f/7IK6gXnfv2e3dm0RNFHmh' +
        'i8KD4IR3qOodf61HsydzOCPqmmUlxYlhzwtzo2W4y84DnQmecpch+mqzPnwB6LdGZxpU6ZAzJ6YO36NDI+6gqGDW1TiZqko0AzLa' +
        'c6ziX15BiOH80m6jml2cRkMDM2YoZQbYZM93IcQ/Q5JskkaxXXdzesMGZmO/yw2+mF7Go9Sjq/AHaxXjg9E35ZGXNe2qU2Iz1MO/' +
        'VwpihuJNpBcHmdfXREyqdK8plGkxFnU4OqbDh8lYkQ==',
      'base64',
    ),
  },
  {
    key: false,
    compositionMs: 100,
    data: Buffer.from(
      'AAAAAglQAAABlQGeYkR3/v5kaJH7V3QDL/TdqKqcU3WILlGxzIvYetzjbdrrx2OAZ2zMgc+yDury86IFxmx1xa01hSi3k5qJ+90E' +
        'maJyPkaUPuDY78oppcph/lL/0xRhmHrgEoiLwpnrveO6zLR3/pT2Oi8Um8FbOfsT56DbRZm85hmUR6MqFXe39W8UoDX6So37sHAD' +
        'VGR1wdEe8InANwe6XH9aLhopF2l4sM04V5xKNrWqafuTtQT521twdA4tVrGn/wrmdmp/jlEjiseYQu9CygwFH6WXseMOpNyPsnpo' +
        'azfoQbIayB9W6Xq1iDOv85HMUZY1yk83Wh7vykMRkv86u6Wf8TEJY4y8U9mkuLubJcKFGUP/99CrUxgifLNZ/f3z/4wLAm3A+uMD' +
        'h9lus9LWdhEflndNfP5cs2gSrJUmmok2FzEtw0Fv4nALdMj4mo4lNPNzrh8AY/hju/affZ7nwtjzEGa1shrrX27/y1UAq72G0zFf' +
        'M9g0P6hEJ3j4SjDE+AQnfnyN+p9XAuwe/beqquTli4iyMAaM7HpmgAAAAbwBDJ5iRN/9nGjBiAANipltdx3uVr6QkAEYKufdXm6G' +
        'jvliTc+yVL+Qr1ZSLr4P6UKgVYMUqbT8l7iDcw/or+rL+/+ZGLfZhqpcTqcArp4aNak5cXZXHJaq64xhbx0ejxbtT9UTY+kfZ1lP' +
        'nHqJxKxZxwoks2BwRXFxVHJw7Nc+XDLjmu0nawauPn33DhV/iVvXPKBeWyYZnV7k228K8L2apHjjcox7RqoTT29AiwERim1fF6EV' +
        'l6bIS61+XlNQKaPeXVYEBKq61CaeXh9yJFT3AWePCGjQdOLDJUfKxxoUnAQ/8cC+lI8xH7Ay+OCatQ6IqGhW/rN84PojoWE1c9n9' +
        'tX4ukkfIjdsBoC4OOJcxdyDc01P9rMpiDPRkckqX9SxdWie4R7oNcY+HUWWgxWBZzW1Y1w3pc9wTQd5tQUsZ0nE830/2oraS/cU4' +
        'ugX2dscvP+C3jrfhoNIJUSOZpYu1AYJ+EDe6goxkDFeI4DuMYW+QTLikOoqmUgmyXdTZdp0n/GoZ25QQoWc9re2HOYhzrDLEhRuG' +
        'oMre8ois6889u9nnds3MIbCjLsrQ8kTOVwIkR6otlr8lpj6EHyI=',
      'base64',
    ),
  },
  {
    key: false,
    compositionMs: 200,
    data: Buffer.from(
      'AAAAAgkwAAACEkGaZDRMQh/elTVAVtU0/402ijo4DZsXgY8m23BjEVztV+bBwSo8tV912vs4knPCOLJUUawvolseyP+75gnz2fwS' +
        'pnCsoBztUrWr/7jxVl0WaOPcPT3CAzQGZiLjb4bXh7V4f18C+d2mr/AsWzbTPAXCmuwPHxB3zy74bL/XzbxrxhYIy6ewFMQL7fz0' +
        'iIduW7sKt99daMviptk+YSQX0NBoj2RdjiZoX3wwrgMQ+OOrXc2gs3w9dCX3kdFs/z19Yh+ler8WaL5pUP9++6SWiJyAizlDyVBI' +
        '1AH44xb32SjiJ2yoGc03TOUGKXEehH6lZvaCr+UkjwesNiaObBoaFEAjcZW0asbwFSd/y0XecN/+CtUNfk+oC1eEbWHIk0RwynZc' +
        'ETIpjt9+w1Wth2amxmjEP67Gra1eS55jY9eqNvyNUhpcMzCyFwwZ6yuraBFg4sFfx1HGR+d1I1rL2tIABLEhhJ9gTSKP9VOk2/Xn' +
        'cr6JZcbCkvFNJV0/QrtycU8hNz4LijST4+J42iZ712hUNKz+z5gplkxtDjURrtIjyzaxORgbCaAmrl5xyqsx2Zm6dzqUvIq83w++' +
        'M6nObNT2qvcV5y6Q8N5bOBdeUV7KryvOspMoDKDe2QeUNpfTPAvApY6+zOtQkqjfJ6JmvfIkWX9A39fRbhvyNTm8AVpecfZKfkr2' +
        'hTS9CYlODNi2KIi5sfN7AAAByEEMmmQ0TE3/35lCiMfRrmCQoNrRYlCt5guFIInvJenyYLsDaOURITuc4ozSf69s+WfifHAlVKWA' +
        'N7UD5lEUiuZ2oZ7YKQtT5VE6XEdogFLip0xYHwPL/7Iir0IwzJ3GarSPF6ES55AHlANwcc2hgGGWHzxgqjbwnUQZa5qOw/PYqnF/' +
        'FcujpZC8ZLFIHei+YFCkkyD38t/CfGI7wozXVrjZC9SLF2naIwXGhujF2AgEM13C9W4dNvhtDjYX5loor1zFdUBTLzmUT6NfyrD9' +
        '8KGTDBfmWw/kfK1Kx5kA8T0udmblx3Bc+XS9GBWhr0xHeKfllfUPMEay1RpDnF2LSozkH///tJPgc5p2wSlfHHWY4ftOzcHKnpZy' +
        'TA5CAtjglcH/6RnpdBs07O9cHcKAy2HGlqBphz65OAIbFyDN16HL49t8Vr9RRSf2oVOCEkmBX8RK3a2SlNlmv8YmE61WC74EtxNf' +
        'ms/90AKza06PDHMWunO+UWKo710BhIzX6stp4eDj6AgI0uFBBgQc/Rai6MMF5QorAS347A6oeLcLAMppReE3AbZHB/7xNhYawIna' +
        '40lfMYrqio4KqE4Rn7PPJp5yTekiHxTKQQ==',
      'base64',
    ),
  },
];
