using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Two-dimensional convolution, NHWC images and HWIO filters, on the widest vectors of the processor. See
/// <see cref="Convolution{TLanes}"/>.
/// </summary>
internal static unsafe class Convolution
{
    /// <summary>
    /// Bytes of workspace that a pass needs, a pure function of the shape and of whether <see cref="Winograd{TLanes}"/> may
    /// compute it; it may be 0.
    /// </summary>
    public static long WorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass, bool allowWinograd = true)
    {
        var action = new Sizing(geometry, pass, allowWinograd);
        Simd.Dispatch(ref action);
        return action.Bytes;
    }

    /// <summary>y [N,OH,OW,OC] (=|+=) f(x [N,H,W,C] * w [KH,KW,C/groups,OC] + bias [OC]).</summary>
    public static void Forward(
        WorkerPool pool, in Conv2DGeometry geometry, float* x, float* w, float* y, in Epilogue epilogue, byte* workspace,
        bool allowWinograd = true, FrozenValues? frozen = null)
    {
        var action = new ForwardPass(pool, geometry, x, w, y, epilogue, workspace, allowWinograd, frozen);
        Simd.Dispatch(ref action);
    }

    /// <summary>
    /// Whether <see cref="ForwardPooled"/> takes a convolution and the pooling behind it.
    /// </summary>
    public static bool Pools(in Conv2DGeometry geometry, in Pool2DGeometry pooling, bool allowWinograd)
    {
        var action = new Asking(geometry, pooling, allowWinograd);
        Simd.Dispatch(ref action);
        return action.Answer;
    }

    /// <summary>y = the maximum over each window of f(x * w + bias), then ReLU if asked.</summary>
    public static void ForwardPooled(
        WorkerPool pool, in Conv2DGeometry geometry, in Pool2DGeometry pooling, float* x, float* w, float* y,
        in Epilogue epilogue, bool relu, byte* workspace, FrozenValues? frozen)
    {
        var action = new PooledPass(pool, geometry, pooling, x, w, y, epilogue, relu, workspace, frozen);
        Simd.Dispatch(ref action);
    }

    /// <summary>Whether <see cref="ForwardExpanded"/> takes a 1x1 convolution and the depthwise one behind it.</summary>
    public static bool Expands(in Conv2DGeometry product, in Conv2DGeometry depthwise)
    {
        var action = new AskingExpansion(product, depthwise);
        Simd.Dispatch(ref action);
        return action.Answer;
    }

    /// <summary>y = g(depthwise(f(x * w + bias), filter) + bias of that).</summary>
    public static void ForwardExpanded(
        WorkerPool pool, in Conv2DGeometry product, in Conv2DGeometry depthwise, float* x, float* w, float* filter, float* y,
        in Epilogue between, in Epilogue epilogue, FrozenValues? frozen)
    {
        var action = new ExpandedPass(pool, product, depthwise, x, w, filter, y, between, epilogue, frozen);
        Simd.Dispatch(ref action);
    }

    /// <summary>dx (=|+=) f(the gradient of x + bias): dy convolved with the transposed filter.</summary>
    public static void BackwardData(
        WorkerPool pool, in Conv2DGeometry geometry, float* dy, float* w, float* dx, in Epilogue epilogue, byte* workspace,
        bool allowWinograd = true)
    {
        var action = new DataPass(pool, geometry, dy, w, dx, epilogue, workspace, allowWinograd);
        Simd.Dispatch(ref action);
    }

    /// <summary>dw (=|+=) the gradient of the filter, dbias (=|+=) the sums of dy per channel; dbias may be null.</summary>
    public static void BackwardFilter(
        WorkerPool pool, in Conv2DGeometry geometry, float* x, float* dy, float* dw, float* dbias,
        bool accumulateWeight, bool accumulateBias, byte* workspace, bool allowWinograd = true)
    {
        var action = new FilterPass(
            pool, geometry, x, dy, dw, dbias, accumulateWeight, accumulateBias, workspace, allowWinograd);
        Simd.Dispatch(ref action);
    }

    private struct Sizing(Conv2DGeometry geometry, ConvolutionPass pass, bool allowWinograd) : ILanesAction
    {
        public long Bytes { get; private set; }

        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> =>
                Bytes = Convolution<TLanes>.WorkspaceBytes(geometry, pass, allowWinograd);
    }

    private struct Asking(Conv2DGeometry geometry, Pool2DGeometry pooling, bool allowWinograd) : ILanesAction
    {
        public bool Answer { get; private set; }

        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> =>
                Answer = Convolution<TLanes>.Pools(geometry, pooling, allowWinograd);
    }

    private struct AskingExpansion(Conv2DGeometry product, Conv2DGeometry depthwise) : ILanesAction
    {
        public bool Answer { get; private set; }

        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> => Answer = Convolution<TLanes>.Expands(product, depthwise);
    }

    private readonly struct ExpandedPass(
        WorkerPool pool, Conv2DGeometry product, Conv2DGeometry depthwise, float* x, float* w, float* filter, float* y,
        Epilogue between, Epilogue epilogue, FrozenValues? frozen) : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> =>
                Convolution<TLanes>.ForwardExpanded(pool, product, depthwise, x, w, filter, y, between, epilogue, frozen);
    }

    private readonly struct PooledPass(
        WorkerPool pool, Conv2DGeometry geometry, Pool2DGeometry pooling, float* x, float* w, float* y, Epilogue epilogue,
        bool relu, byte* workspace, FrozenValues? frozen) : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> =>
                Convolution<TLanes>.ForwardPooled(pool, geometry, pooling, x, w, y, epilogue, relu, workspace, frozen);
    }

    private readonly struct ForwardPass(
        WorkerPool pool, Conv2DGeometry geometry, float* x, float* w, float* y, Epilogue epilogue, byte* workspace,
        bool allowWinograd, FrozenValues? frozen) : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> =>
                Convolution<TLanes>.Forward(pool, geometry, x, w, y, epilogue, workspace, allowWinograd, frozen);
    }

    private readonly struct DataPass(
        WorkerPool pool, Conv2DGeometry geometry, float* dy, float* w, float* dx, Epilogue epilogue, byte* workspace,
        bool allowWinograd) : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> =>
                Convolution<TLanes>.BackwardData(pool, geometry, dy, w, dx, epilogue, workspace, allowWinograd);
    }

    private readonly struct FilterPass(
        WorkerPool pool, Conv2DGeometry geometry, float* x, float* dy, float* dw, float* dbias, bool accumulateWeight,
        bool accumulateBias,
        byte* workspace, bool allowWinograd) : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> =>
            Convolution<TLanes>.BackwardFilter(
                pool, geometry, x, dy, dw, dbias, accumulateWeight, accumulateBias, workspace, allowWinograd);
    }
}
