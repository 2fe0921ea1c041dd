// Written by tools/FastNN.Generate from the functions in src/FastNN/Functions; edit those.
#pragma once

// exp(x).
DEVICE float exponential(float x) {
    float v0 = smaller(89.0f, larger(-104.5f, x));
    float v1 = nearestInteger(v0 * 1.442695f);
    float v2 = multiplyAdd(v1, 0.00021219444f, multiplyAdd(v1, -0.6933594f, v0));
    float v3 = multiplyAdd(multiplyAdd(multiplyAdd(0.00019875691f, v2, 0.0013981999f), v2, 0.008333452f), v2, 0.041665796f);
    return scaleByPowerOfTwo(multiplyAdd(multiplyAdd(multiplyAdd(v3, v2, 0.16666666f), v2, 0.5f), v2 * v2, v2) + 1.0f, v1);
}
