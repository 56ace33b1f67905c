// What libebur128 finds in a stereo file of 32-bit floats at 48 kHz whose header is 44 bytes.
#include <ebur128.h>
#include <math.h>
#include <stdio.h>

int main(int count, char** arguments) {
    FILE* file = count > 1 ? fopen(arguments[1], "rb") : NULL;
    ebur128_state* meter = ebur128_init(2, 48000, EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK);
    if (!file || !meter || fseek(file, 44, SEEK_SET)) return 1;
    static float sound[16384];
    size_t frames;
    while ((frames = fread(sound, 8, 8192, file)) > 0) ebur128_add_frames_float(meter, sound, frames);
    double integrated, range, left, right;
    ebur128_loudness_global(meter, &integrated);
    ebur128_loudness_range(meter, &range);
    ebur128_true_peak(meter, 0, &left);
    ebur128_true_peak(meter, 1, &right);
    printf("I: %.2f LUFS\nLRA: %.2f LU\nPeak: %.2f dBTP\n", integrated, range, 20 * log10(fmax(left, right)));
    ebur128_destroy(&meter);
    return 0;
}
