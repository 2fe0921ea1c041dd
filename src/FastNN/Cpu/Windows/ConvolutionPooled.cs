using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <content>
/// A convolution and the max pooling behind it, band by band: some rows of the convolution go to the worker's scratch memory and
/// from there, still in the cache, into the pooled rows. What a first layer writes is many times its image; here it neither goes
/// to memory nor has a place in the plan.
/// </content>
internal static unsafe partial class Convolution<TLanes>
{
    /// <summary>
    /// Bytes of a band at most, behind which the tile's own scratch lies: they stay in the second level, and longer bands leave
    /// fewer tiles half empty.
    /// </summary>
    private const int BandBytes = 64 << 10;

    private const int MostTaps = 1024;

    /// <summary>
    /// Whether <see cref="ForwardPooled"/> takes the two: the convolution goes through pointers to pixels, windows share none of
    /// its rows, and the rows of one window fit a band.
    /// </summary>
    public static bool Pools(in Conv2DGeometry geometry, in Pool2DGeometry pooling, bool allowWinograd) =>
        !IsProduct(geometry) && !IsDepthwise(geometry)
        && !(allowWinograd && Winograd<TLanes>.Pays(geometry, ConvolutionPass.Forward))
        && pooling.Vertical.IsDisjoint && pooling.Vertical.PadBefore == 0 && (long)geometry.KH * geometry.KW <= MostTaps
        && pooling.Vertical.Taps * (long)geometry.OW * geometry.OC * sizeof(float) <= BandBytes;

    /// <summary>y = max over the windows of f(x * w + bias), then ReLU if asked.</summary>
    public static void ForwardPooled(
        WorkerPool pool, in Conv2DGeometry geometry, in Pool2DGeometry pooling, float* x, float* w, float* y,
        in Epilogue epilogue, bool relu, byte* workspace, FrozenValues? frozen)
    {
        ConvolutionOperands operands = IndirectOperands(pool, geometry, x, w, null, epilogue, workspace, frozen);
        var body = new PooledBody(pool, operands, pooling, y, relu);
        pool.Run(body.Tasks, ref body);
    }

    private readonly struct PooledBody : IParallelBody
    {
        private const int MostTasks = 64;
        private const double TaskFlops = 4e5;

        private readonly WorkerPool _pool;
        private readonly ConvolutionOperands _o;
        private readonly Pool2DGeometry _pooling;
        private readonly float* _y;
        private readonly bool _relu;
        private readonly int _rowsPerBand;
        private readonly int _bands;
        private readonly int _bandsPerTask;

        public PooledBody(WorkerPool pool, in ConvolutionOperands operands, in Pool2DGeometry pooling, float* y, bool relu)
        {
            _pool = pool;
            _o = operands;
            _pooling = pooling;
            _y = y;
            _relu = relu;
            double flops = 2.0 * operands.Samples * operands.Vertical.Count * operands.TargetRow * operands.Vertical.Taps
                * operands.Horizontal.Taps * operands.Depth;
            double tasks = Math.Clamp(flops / TaskFlops, 1, MostTasks);
            long rowBytes = (long)pooling.Vertical.Stride * operands.TargetRow * sizeof(float);
            double rows = Math.Min(BandBytes / rowBytes, operands.Samples * (double)pooling.OH / tasks);
            _rowsPerBand = (int)Math.Clamp(rows, 1, pooling.OH);
            _bands = (pooling.OH + _rowsPerBand - 1) / _rowsPerBand;
            long all = (long)_bands * operands.Samples;
            _bandsPerTask = (int)Math.Max(1, Math.Min(int.MaxValue, (long)(all / tasks)));
            Tasks = (int)((all + _bandsPerTask - 1) / _bandsPerTask);
        }

        public int Tasks { get; }

        public void Invoke(int task, int worker)
        {
            long end = Math.Min((long)_bands * _o.Samples, (task + 1L) * _bandsPerTask);
            for (long band = (long)task * _bandsPerTask; band < end; band++)
            {
                int sample = (int)(band / _bands), first = (int)(band % _bands) * _rowsPerBand;
                Band(sample, first, Math.Min(_pooling.OH, first + _rowsPerBand), worker);
            }
        }

        /// <summary>Pooled rows [first, end) of an image.</summary>
        private void Band(int sample, int first, int end, int worker)
        {
            WindowAxis windows = _pooling.Vertical;
            int top = windows.Start(first), bottom = Math.Min(windows.Start(end - 1) + windows.Taps, _o.Vertical.Count);
            byte* scratch = _pool.Scratch(worker);

            // Where row 0 of sample 0 would lie, so that the band begins at the scratch memory.
            ConvolutionOperands band = _o;
            band.Target = (float*)scratch - (sample * _o.TargetSample) - (top * _o.TargetRow);
            var tile = new IndirectTile(band, (nint*)(scratch + BandBytes), sample, sample + 1);
            tile.Run(top, bottom, 0, band.Filter.Panels * band.Groups);
            Pool2D.MaximumOfRows(
                _pooling, band.Target, _y, _relu, ((long)sample * _pooling.OH) + first, ((long)sample * _pooling.OH) + end);
        }
    }
}
