// One channel of a pixel, or four neighboring ones that lie on 16 bytes.
#pragma once
#include "common.cuh"

template <int V>
struct Channels {
    float values[V];
};

template <int V>
DEVICE Channels<V> loadChannels(const float* x) {
    Channels<V> c;
    if (V == 4) {
        float4 v = loadFour(x);
        c.values[0] = v.x;
        c.values[1 % V] = v.y;
        c.values[2 % V] = v.z;
        c.values[3 % V] = v.w;
    } else {
        c.values[0] = *x;
    }
    return c;
}

template <int V>
DEVICE void putChannels(float* y, const Channels<V>& c, bool accumulate) {
    if (V == 4) {
        putFour(y, c.values[0], c.values[1 % V], c.values[2 % V], c.values[3 % V], accumulate);
    } else {
        put(y, c.values[0], accumulate);
    }
}
