// What printed functions (generated/*.cuh) stand on: their parameters, and the elementary functions that they call.
#pragma once
#include "math.cuh"

// Parameters of a function, in the order of its FunctionInfo; what it has not is 0. src/FastNN/Functions/Scalar.cs
struct Scalars {
    float a, b, c, d;
};

// Numbers of an optimizer's update in one step, and the guard behind them, in device memory. src/FastNN/Functions/IUpdateFunction.cs
struct __align__(16) UpdateScalars {
    float a, b, c, d, e, f, g, guard;
};

// What the gradient of a reduction's term reads of its output.
struct OutputOperands {
    float y, saved, more, dY, scale;
};
