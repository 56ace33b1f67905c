// Sixty seconds of what Faust has compiled, to a file of 32-bit floats: of one program, or of one for each of `VOICES`.
#include <cstdio>
#include <memory>
#include <vector>
#include <cmath>

#define FAUSTFLOAT float

struct Meta {
    void declare(const char*, const char*) {}
};

struct UI {
    float* number = nullptr;
    void openVerticalBox(const char*) {}
    void closeBox() {}
    void addNumEntry(const char*, float* zone, float, float, float, float) { number = zone; }
};

struct dsp {
    virtual ~dsp() {}
};

<<includeIntrinsic>>
<<includeclass>>

int main() {
    std::vector<std::unique_ptr<mydsp>> programs;
    for (int i = 0; i < VOICES; i++) {
        programs.push_back(std::make_unique<mydsp>());
        programs[i]->init(48000);
        UI ui;
        programs[i]->buildUserInterface(&ui);
        if (ui.number) *ui.number = i;
    }
    static float left[64], right[64];
    float* out[] = {left, right};
    FILE* file = fopen("faust.raw", "wb");
    for (int block = 0; block < 60 * 48000 / 64; block++) {
        float both[128] = {};
        for (auto& program : programs) {
            program->compute(64, nullptr, out);
            for (int i = 0; i < 64; i++) {
                both[2 * i] += left[i];
                both[2 * i + 1] += right[i];
            }
        }
        fwrite(both, sizeof both, 1, file);
    }
    return fclose(file);
}
