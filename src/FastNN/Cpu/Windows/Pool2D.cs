using System.Runtime.Intrinsics;
using FastNN.Kernels;

namespace FastNN.Cpu;

/// <summary>
/// Pooling of NHWC images, vectorized over channels. The last vector of a pixel overlaps the one before it, so that no
/// channel count needs a scalar tail; fewer channels than a vector take the next narrower width.
/// </summary>
/// <remarks>
/// Maximum, forward: y = max x, or max(0, max x), with the winning tap kh*KW + kw of every output in <c>winners</c>: one byte
/// where a window has at most 256 taps, else two (<see cref="WinnerBytes"/>). The first maximum wins a tie, NaN wins always,
/// as in PyTorch. Backward is a gather: each dx element looks at the windows that span it and is written once, (=) or (+=),
/// so that overlapping windows need neither a zero fill nor an order between threads.
/// Bytes per input element: forward 4 read + (4 + 1 written) / taps; backward 4 written + 5 (9 with ReLU) / taps read.
/// One core of a Zen 5, by processor time: 2x2 over 26x26x32 b128 (11 MB) 32 GB/s forward and 22 GB/s backward, over
/// 11x11x64 b128 43 and 26 GB/s; with 6 channels 10 and 5 GB/s, as a pixel is then one and a half narrow vectors.
/// </remarks>
internal static unsafe partial class Pool2D
{
    /// <summary>Bytes of one winner index.</summary>
    public static int WinnerBytes(in Pool2DGeometry geometry) =>
        (long)geometry.Vertical.Taps * geometry.Horizontal.Taps <= 256 ? 1 : 2;

    /// <summary>Bytes of the winners of one forward pass.</summary>
    public static long WinnersBytes(in Pool2DGeometry geometry) => geometry.OutputCount * WinnerBytes(geometry);

    /// <summary>y = max over the window, then ReLU if asked; winners may be null where no backward pass follows.</summary>
    public static void MaxForward(WorkerPool pool, in Pool2DGeometry geometry, float* x, float* y, byte* winners, bool relu) =>
        Dispatch(pool, geometry, PoolPass.MaxForward, new PoolArguments(x, y, winners, null, null, relu, false));

    /// <summary>
    /// dx (=|+=) dy at the winner, else 0. y is read only for <paramref name="relu"/>: dy counts where y is positive.
    /// </summary>
    public static void MaxBackward(
        WorkerPool pool, in Pool2DGeometry geometry, float* y, float* dy, byte* winners, float* dx, bool relu, bool accumulate) =>
        Dispatch(pool, geometry, PoolPass.MaxBackward, new PoolArguments(null, y, winners, dy, dx, relu, accumulate));

    /// <summary>y = sum of the window / divisor.</summary>
    public static void AverageForward(WorkerPool pool, in Pool2DGeometry geometry, float* x, float* y) =>
        Dispatch(pool, geometry, PoolPass.AverageForward, new PoolArguments(x, y, null, null, null, false, false));

    /// <summary>dx (=|+=) sum over the windows that span it of dy / divisor.</summary>
    public static void AverageBackward(WorkerPool pool, in Pool2DGeometry geometry, float* dy, float* dx, bool accumulate) =>
        Dispatch(pool, geometry, PoolPass.AverageBackward, new PoolArguments(null, null, null, dy, dx, false, accumulate));

    private static void Dispatch(WorkerPool pool, in Pool2DGeometry geometry, PoolPass pass, in PoolArguments arguments)
    {
        var action = new Pooling(pool, geometry, pass, arguments);
        Simd.Dispatch(geometry.C, ref action);
    }

    private readonly struct Pooling(WorkerPool pool, Pool2DGeometry geometry, PoolPass pass, PoolArguments arguments)
        : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes>
        {
            if (TLanes.Count == PoolLanes512.Count)
            {
                Run<Vector512<float>, Vector512<int>, PoolLanes512>(pool, geometry, pass, arguments);
            }
            else if (TLanes.Count == PoolLanes256.Count)
            {
                Run<Vector256<float>, Vector256<int>, PoolLanes256>(pool, geometry, pass, arguments);
            }
            else if (TLanes.Count == PoolLanes128.Count)
            {
                Run<Vector128<float>, Vector128<int>, PoolLanes128>(pool, geometry, pass, arguments);
            }
            else
            {
                Run<float, int, PoolLanes1>(pool, geometry, pass, arguments);
            }
        }
    }

    private static void Run<TVec, TTap, TLanes>(
        WorkerPool pool, in Pool2DGeometry geometry, PoolPass pass, in PoolArguments arguments)
        where TVec : struct
        where TTap : struct
        where TLanes : struct, IPoolLanes<TVec, TTap>
    {
        bool forward = pass is PoolPass.MaxForward or PoolPass.AverageForward;
        long rows = (long)geometry.N * (forward ? geometry.OH : geometry.H);
        long rowElements = (long)geometry.W * geometry.C * (forward ? geometry.Vertical.Stride : 1);
        // 32 Ki elements (128 KiB) a task: some 10 us, ten times what handing it out costs.
        long rowsPerTask = Math.Max(1, (32 << 10) / rowElements);
        rowsPerTask = Math.Max(rowsPerTask, (rows + (1 << 20) - 1) >> 20);
        int tasks = (int)((rows + rowsPerTask - 1) / rowsPerTask);
        var split = new PoolRows(rows, rowsPerTask);
        switch (pass)
        {
            case PoolPass.MaxForward when arguments.Winners == null:
                var maximum = new MaximumBody<TVec, TTap, TLanes>(geometry, arguments, split);
                pool.Run(tasks, ref maximum);
                break;
            case PoolPass.MaxForward when WinnerBytes(geometry) == 1:
                var narrowForward = new MaxForwardBody<TVec, TTap, TLanes, byte>(geometry, arguments, split);
                pool.Run(tasks, ref narrowForward);
                break;
            case PoolPass.MaxForward:
                var wideForward = new MaxForwardBody<TVec, TTap, TLanes, ushort>(geometry, arguments, split);
                pool.Run(tasks, ref wideForward);
                break;
            case PoolPass.MaxBackward when WinnerBytes(geometry) == 1:
                var narrowBackward = new MaxBackwardBody<TVec, TTap, TLanes, byte>(geometry, arguments, split);
                pool.Run(tasks, ref narrowBackward);
                break;
            case PoolPass.MaxBackward:
                var wideBackward = new MaxBackwardBody<TVec, TTap, TLanes, ushort>(geometry, arguments, split);
                pool.Run(tasks, ref wideBackward);
                break;
            case PoolPass.AverageForward:
                var averageForward = new AverageForwardBody<TVec, TTap, TLanes>(geometry, arguments, split);
                pool.Run(tasks, ref averageForward);
                break;
            default:
                var averageBackward = new AverageBackwardBody<TVec, TTap, TLanes>(geometry, arguments, split);
                pool.Run(tasks, ref averageBackward);
                break;
        }
    }

    private enum PoolPass
    {
        MaxForward,
        MaxBackward,
        AverageForward,
        AverageBackward,
    }

    private readonly struct PoolArguments(float* x, float* y, byte* winners, float* dy, float* dx, bool relu, bool accumulate)
    {
        public readonly float* X = x;
        public readonly float* Y = y;
        public readonly byte* Winners = winners;
        public readonly float* DY = dy;
        public readonly float* DX = dx;
        public readonly bool Relu = relu;
        public readonly bool Accumulate = accumulate;
    }

    /// <summary>Image rows of all samples, cut into tasks by shape alone.</summary>
    private readonly struct PoolRows(long rows, long perTask)
    {
        public long First(int task) => task * perTask;

        public long End(int task) => Math.Min(rows, (task + 1) * perTask);
    }
}
