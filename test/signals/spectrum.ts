/**
 * Magnitudes of the Fourier transform of real samples, unscaled.
 *
 * @param samples - their number is a power of two
 * @returns as many as half the samples; the one at index i is of the frequency i * rate / samples.length
 */
export function magnitudes(samples: Float64Array): Float64Array {
  const size = samples.length;
  const real = inBitReversedOrder(samples);
  const imaginary = new Float64Array(size);
  const cosines = Float64Array.from({ length: size / 2 }, (_, index) =>
    Math.cos((2 * Math.PI * index) / size),
  );
  const sines = Float64Array.from(
    { length: size / 2 },
    (_, index) => -Math.sin((2 * Math.PI * index) / size),
  );
  for (let half = 1; half < size; half *= 2) {
    const stride = size / 2 / half;
    for (let start = 0; start < size; start += 2 * half) {
      for (let offset = 0; offset < half; offset++) {
        const even = start + offset;
        const odd = even + half;
        const turnReal = cosines[offset * stride]!;
        const turnImaginary = sines[offset * stride]!;
        const oddReal = real[odd]! * turnReal - imaginary[odd]! * turnImaginary;
        const oddImaginary = real[odd]! * turnImaginary + imaginary[odd]! * turnReal;
        real[odd] = real[even]! - oddReal;
        imaginary[odd] = imaginary[even]! - oddImaginary;
        real[even] = real[even]! + oddReal;
        imaginary[even] = imaginary[even]! + oddImaginary;
      }
    }
  }
  return Float64Array.from({ length: size / 2 }, (_, index) =>
    Math.sqrt(real[index]! ** 2 + imaginary[index]! ** 2),
  );
}

function inBitReversedOrder(samples: Float64Array): Float64Array {
  const ordered = new Float64Array(samples.length);
  let reversed = 0;
  for (const sample of samples) {
    ordered[reversed] = sample;
    let bit = samples.length >> 1;
    while (bit > 0 && reversed & bit) {
      reversed ^= bit;
      bit >>= 1;
    }
    reversed |= bit;
  }
  return ordered;
}
