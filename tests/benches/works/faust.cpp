// What Faust has compiled, driven from sound files to a sound file: `PARTS` programs of one kind, each with an input of its own,
// `in-1.wav` and so on, summed by `GROUPS` (and what they have more than two outputs of into sends), and `WHOLE` the program after
// them, if there is one.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

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

#include "part.h"
#ifdef WHOLE
#include "whole.h"
#endif

constexpr int BLOCK = 256;

using Channels = std::vector<std::vector<float>>;

static std::vector<float*> pointers(Channels& channels) {
    std::vector<float*> all;
    for (auto& channel : channels) all.push_back(channel.data());
    return all;
}

int main() {
    std::vector<std::unique_ptr<Part>> parts;
    std::vector<FILE*> files;
    for (int i = 0; i < PARTS; i++) {
        parts.push_back(std::make_unique<Part>());
        parts[i]->init(48000);
        UI ui;
        parts[i]->buildUserInterface(&ui);
        if (ui.number) *ui.number = i;
        if (parts[i]->getNumInputs()) {
            files.push_back(fopen(("in-" + std::to_string(i + 1) + ".wav").c_str(), "rb"));
            if (!files.back() || fseek(files.back(), 44, SEEK_SET)) return 1;
        }
    }
    const int ins = parts[0]->getNumInputs(), outs = parts[0]->getNumOutputs();
    std::vector<float> read(BLOCK * std::max(ins, 1));
    Channels in(ins, std::vector<float>(BLOCK)), out(outs, std::vector<float>(BLOCK));
    Channels sums(2 * GROUPS + outs - 2, std::vector<float>(BLOCK)), mixed(2, std::vector<float>(BLOCK));
    auto in_at = pointers(in), out_at = pointers(out), sums_at = pointers(sums), mixed_at = pointers(mixed);
#ifdef WHOLE
    auto whole = std::make_unique<Whole>();
    whole->init(48000);
#endif
    const uint32_t frames = SECONDS * 48000u, bytes = frames * 8;
    FILE* file = fopen("faust.wav", "wb");
    const uint32_t header[] = {0x46464952, bytes + 36, 0x45564157, 0x20746d66, 16, 0x00020003, 48000, 384000, 0x00200008, 0x61746164, bytes};
    if (!file || !fwrite(header, sizeof header, 1, file)) return 1;
    std::vector<float> both(2 * BLOCK);
    for (uint32_t done = 0; done < frames; done += BLOCK) {
        const int count = std::min<uint32_t>(BLOCK, frames - done);
        for (auto& sum : sums) std::fill(sum.begin(), sum.end(), 0.0f);
        for (int i = 0; i < PARTS; i++) {
            if (ins) {
                const size_t had = fread(read.data(), 4, BLOCK * ins, files[i]);
                std::fill(read.begin() + had, read.end(), 0.0f);
                for (int c = 0; c < ins; c++)
                    for (int f = 0; f < BLOCK; f++) in[c][f] = read[f * ins + c];
            }
            parts[i]->compute(BLOCK, in_at.data(), out_at.data());
            const int group = i * GROUPS / PARTS;
            for (int c = 0; c < outs; c++) {
                auto& sum = sums[c < 2 ? 2 * group + c : 2 * GROUPS + c - 2];
                for (int f = 0; f < BLOCK; f++) sum[f] += out[c][f];
            }
        }
#ifdef WHOLE
        whole->compute(BLOCK, sums_at.data(), mixed_at.data());
        auto& result = mixed;
#else
        auto& result = sums;
#endif
        for (int f = 0; f < BLOCK; f++)
            for (int c = 0; c < 2; c++) both[2 * f + c] = result[c][f];
        fwrite(both.data(), 8, count, file);
    }
    return fclose(file);
}
