// Sixty seconds of what Faust has compiled, to a file of 32-bit floats.
#include <cmath>
#include <cstdio>
#include <cstring>

#define FAUSTFLOAT float

struct Meta {
    void declare(const char*, const char*) {}
};

struct UI {
    void openVerticalBox(const char*) {}
    void openHorizontalBox(const char*) {}
    void closeBox() {}
};

struct dsp {
    virtual ~dsp() {}
};

<<includeIntrinsic>>
<<includeclass>>

int main() {
    static mydsp voices;
    voices.init(48000);
    static float left[64], right[64], both[128];
    float* out[] = {left, right};
    FILE* file = fopen("faust.raw", "wb");
    for (int block = 0; block < 60 * 48000 / 64; block++) {
        voices.compute(64, nullptr, out);
        for (int i = 0; i < 64; i++) {
            both[2 * i] = left[i];
            both[2 * i + 1] = right[i];
        }
        fwrite(both, sizeof both, 1, file);
    }
    return fclose(file);
}
