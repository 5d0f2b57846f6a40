/* See network.h. */
#include "samples/offload/network.h"

void network_noise(float *numbers, uint32_t count, uint64_t seed)
{
    for (uint32_t i = 0; i < count; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        numbers[i] = (float)(int32_t)(seed >> 32) / 2147483648.0F;
    }
}

void network_load(struct network *network, uint64_t seed)
{
    network_noise(network->first[0], NETWORK_WIDTH * NETWORK_INPUTS, seed);
    for (unsigned i = 0; i < NETWORK_LAYERS; i++)
        network_noise(network->layers[i][0], NETWORK_WIDTH * NETWORK_WIDTH, seed + 1 + i);
    network_noise(network->last[0], NETWORK_CLASSES * NETWORK_WIDTH, seed + 1 + NETWORK_LAYERS);
}

static float dot(const float *a, const float *b, uint32_t count)
{
    float sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static float rectify(float x)
{
    return x > 0 ? x : 0;
}

int32_t network_classify(const struct network *network, const float input[NETWORK_INPUTS])
{
    float values[2][NETWORK_WIDTH], most = 0;
    int32_t class = 0;

    for (int i = 0; i < NETWORK_WIDTH; i++)
        values[0][i] = rectify(dot(network->first[i], input, NETWORK_INPUTS));
    for (int layer = 0; layer < NETWORK_LAYERS; layer++)
        for (int i = 0; i < NETWORK_WIDTH; i++)
            values[(layer + 1) % 2][i] =
                rectify(dot(network->layers[layer][i], values[layer % 2], NETWORK_WIDTH));
    for (int i = 0; i < NETWORK_CLASSES; i++) {
        float score = dot(network->last[i], values[NETWORK_LAYERS % 2], NETWORK_WIDTH);

        if (i == 0 || score > most) {
            most = score;
            class = i;
        }
    }
    return class;
}
