using System.Runtime.Intrinsics;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>
/// Two-dimensional convolution, NHWC images and HWIO filters, on the widest vectors of the processor. See
/// <see cref="Convolution{TVec, TRung}"/>.
/// </summary>
internal static unsafe class Convolution
{
    /// <summary>Bytes of workspace that a pass needs, a pure function of the shape; it may be 0.</summary>
    public static long WorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass) => pass switch
    {
        _ when Rung512.IsSupported => Convolution<Vector512<float>, Rung512>.WorkspaceBytes(geometry, pass),
        _ when Rung256.IsSupported => Convolution<Vector256<float>, Rung256>.WorkspaceBytes(geometry, pass),
        _ when Rung128.IsSupported => Convolution<Vector128<float>, Rung128>.WorkspaceBytes(geometry, pass),
        _ => Convolution<float, RungScalar>.WorkspaceBytes(geometry, pass),
    };

    /// <summary>y [N,OH,OW,OC] (=|+=) f(x [N,H,W,C] * w [KH,KW,C/groups,OC] + bias [OC]).</summary>
    public static void Forward(
        WorkerPool pool, in Conv2DGeometry geometry, float* x, float* w, float* y, in Epilogue epilogue, byte* workspace)
    {
        if (Rung512.IsSupported)
        {
            Convolution<Vector512<float>, Rung512>.Forward(pool, geometry, x, w, y, epilogue, workspace);
        }
        else if (Rung256.IsSupported)
        {
            Convolution<Vector256<float>, Rung256>.Forward(pool, geometry, x, w, y, epilogue, workspace);
        }
        else if (Rung128.IsSupported)
        {
            Convolution<Vector128<float>, Rung128>.Forward(pool, geometry, x, w, y, epilogue, workspace);
        }
        else
        {
            Convolution<float, RungScalar>.Forward(pool, geometry, x, w, y, epilogue, workspace);
        }
    }

    /// <summary>dx (=|+=) the gradient of x: dy convolved with the transposed filter.</summary>
    public static void BackwardData(
        WorkerPool pool, in Conv2DGeometry geometry, float* dy, float* w, float* dx, bool accumulate, byte* workspace)
    {
        if (Rung512.IsSupported)
        {
            Convolution<Vector512<float>, Rung512>.BackwardData(pool, geometry, dy, w, dx, accumulate, workspace);
        }
        else if (Rung256.IsSupported)
        {
            Convolution<Vector256<float>, Rung256>.BackwardData(pool, geometry, dy, w, dx, accumulate, workspace);
        }
        else if (Rung128.IsSupported)
        {
            Convolution<Vector128<float>, Rung128>.BackwardData(pool, geometry, dy, w, dx, accumulate, workspace);
        }
        else
        {
            Convolution<float, RungScalar>.BackwardData(pool, geometry, dy, w, dx, accumulate, workspace);
        }
    }

    /// <summary>dw (=|+=) the gradient of the filter, dbias (=|+=) the sums of dy per channel; dbias may be null.</summary>
    public static void BackwardFilter(
        WorkerPool pool, in Conv2DGeometry geometry, float* x, float* dy, float* dw, float* dbias,
        bool accumulateWeight, bool accumulateBias, byte* workspace)
    {
        if (Rung512.IsSupported)
        {
            Convolution<Vector512<float>, Rung512>.BackwardFilter(
                pool, geometry, x, dy, dw, dbias, accumulateWeight, accumulateBias, workspace);
        }
        else if (Rung256.IsSupported)
        {
            Convolution<Vector256<float>, Rung256>.BackwardFilter(
                pool, geometry, x, dy, dw, dbias, accumulateWeight, accumulateBias, workspace);
        }
        else if (Rung128.IsSupported)
        {
            Convolution<Vector128<float>, Rung128>.BackwardFilter(
                pool, geometry, x, dy, dw, dbias, accumulateWeight, accumulateBias, workspace);
        }
        else
        {
            Convolution<float, RungScalar>.BackwardFilter(
                pool, geometry, x, dy, dw, dbias, accumulateWeight, accumulateBias, workspace);
        }
    }
}
