using System.Runtime.CompilerServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <content>
/// A 1x1 convolution and the depthwise one behind it, as in the inverted residual blocks of MobileNet (Sandler et al., 2018, who
/// run them in groups of channels to save memory), in tasks of some rows and one panel of channels: a band of expanded rows goes
/// to the worker's scratch memory and from there, still in the cache, into the filtered rows. What the expansion writes is six
/// times its input; here it neither goes to memory nor has a place in the plan, and threads meet once, not twice.
/// </content>
internal static unsafe partial class Convolution<TLanes>
{
    /// <summary>Bytes of a band where its rows are short: some of the first level and little of the second.</summary>
    private const int ExpandedBytes = 28 << 10;

    /// <summary>Bytes of the shortest band, one step of <see cref="Depthwise3x3{TLanes}"/>, at most.</summary>
    private const int MostExpandedBytes = 1 << 20;

    /// <summary>
    /// Whether <see cref="ForwardExpanded"/> takes the two: its product sums in one block, so with the bits of any product.
    /// </summary>
    public static bool Expands(in Conv2DGeometry product, in Conv2DGeometry depthwise) =>
        IsProduct(product) && product.C <= Gemm<TLanes>.BlockK && (long)product.N * product.H * product.W > 1
        && IsDepthwise(depthwise) && Depthwise3x3.Takes(depthwise)
        && (long)ExpandedBody.LeastRows(depthwise) * depthwise.W * PanelWidth * sizeof(float) <= MostExpandedBytes;

    /// <summary>y = g(depthwise(f(x * w + bias), filter) + bias of that).</summary>
    public static void ForwardExpanded(
        WorkerPool pool, in Conv2DGeometry product, in Conv2DGeometry depthwise, float* x, float* w, float* filter, float* y,
        in Epilogue between, in Epilogue epilogue, FrozenValues? frozen)
    {
        Product expansion = PixelProduct(product, x, w, null, between);
        Gemm<TLanes>.Freeze(pool, frozen, ref expansion);
        var body = new ExpandedBody(pool, expansion, DepthwiseForwardOperands(depthwise, null, filter, y, epilogue), depthwise);
        pool.Run(body.Tasks, ref body);
    }

    private readonly struct ExpandedBody : IParallelBody
    {
        /// <summary>Multiply-adds from which on another thread is worth waking.</summary>
        private const double LeastWork = 3e5;

        /// <summary>Output rows at least between two cuts, each of which computes a row or two of the expansion twice.</summary>
        private const int LeastPart = 8;

        private const int TasksPerThread = 3;

        private readonly WorkerPool _pool;
        private readonly Product _product;
        private readonly DepthwiseOperands _depthwise;
        private readonly int _stride;
        private readonly int _panels;
        private readonly int _parts;
        private readonly long _units;
        private readonly long _unitsPerTask;

        public ExpandedBody(WorkerPool pool, in Product product, in DepthwiseOperands depthwise, in Conv2DGeometry geometry)
        {
            _pool = pool;
            _product = product;
            _depthwise = depthwise;
            _stride = geometry.Vertical.Stride;
            _panels = (product.N + PanelWidth - 1) / PanelWidth;
            long wanted = pool.Threads > 1 ? TasksPerThread * pool.Threads : 1, images = (long)depthwise.Samples * _panels;
            _parts = (int)Math.Clamp((wanted + images - 1) / Math.Max(1, images), 1, Math.Max(1, depthwise.Rows / LeastPart));
            _units = images * _parts;
            double work = product.M * (double)product.N * product.K;
            _unitsPerTask = work < LeastWork ? Math.Max(1, _units) : Math.Max(1, (_units + (1 << 20) - 1) >> 20);
        }

        public int Tasks => (int)((_units + _unitsPerTask - 1) / _unitsPerTask);

        /// <summary>Rows of the expansion under the fewest rows that the depthwise loops make at a time.</summary>
        public static int LeastRows(in Conv2DGeometry depthwise) =>
            Depthwise3x3.SourceRows(Depthwise3x3.BandRows(depthwise.Vertical.Stride), depthwise.Vertical.Stride);

        [MethodImpl(KernelCode.Loop)]
        public void Invoke(int task, int worker)
        {
            long end = Math.Min(_units, (task + 1L) * _unitsPerTask);
            for (long unit = task * _unitsPerTask; unit < end; unit++)
            {
                // Neighboring tasks read the same pixels: the panels run fastest.
                int panel = (int)(unit % _panels), part = (int)(unit / _panels % _parts), sample = (int)(unit / _panels / _parts);
                int first = (int)((long)_depthwise.Rows * part / _parts);
                int last = (int)((long)_depthwise.Rows * (part + 1) / _parts);
                Part(sample, first, last, panel * PanelWidth, _pool.Scratch(worker));
            }
        }

        /// <summary>
        /// Output rows [first, end) of an image, the channels of the panel that begins at <paramref name="channel"/>.
        /// </summary>
        private void Part(int sample, int first, int end, int channel, byte* scratch)
        {
            int channels = Math.Min(PanelWidth, _product.N - channel), columns = _depthwise.SourceColumns;
            nint row = (nint)columns * channels;
            int unit = Depthwise3x3.BandRows(_stride);
            long fits = ((ExpandedBytes / (row * sizeof(float))) - Depthwise3x3.Taps) / _stride / unit * unit;
            int rows = (int)Math.Max(unit, fits);
            var band = (float*)scratch;
            DepthwiseOperands depthwise = _depthwise;
            depthwise.Channels = channels;
            depthwise.Filter += channel;
            depthwise.Target += ((nint)sample * depthwise.Rows * depthwise.Columns * depthwise.TargetColumn) + channel;
            depthwise.Epilogue = depthwise.Epilogue.At(channel);
            depthwise.Samples = 1;
            int held = 0, expanded = 0;
            for (; first < end; first += rows)
            {
                int last = Math.Min(end, first + rows);
                int top = Math.Max(0, (first * _stride) - depthwise.PadTop);
                int bottom = Math.Min(
                    depthwise.SourceRows, ((last - 1) * _stride) - depthwise.PadTop + Depthwise3x3.Taps);
                if (expanded > top)
                {
                    // The rows that two bands share.
                    Buffer.MemoryCopy(
                        band + ((top - held) * row), band, MostExpandedBytes, (expanded - top) * row * sizeof(float));
                }

                expanded = Math.Max(expanded, top);
                Expand(sample, expanded, bottom, channel, channels, band + ((expanded - top) * row));
                (held, expanded) = (top, Math.Max(expanded, bottom));
                depthwise.Source = band - (top * row);
                Depthwise3x3<TLanes>.Rows(depthwise, _stride, first, last, (float*)(scratch + MostExpandedBytes));
            }
        }

        /// <summary>Rows [first, end) of an expanded image.</summary>
        private void Expand(int sample, int first, int end, int channel, int channels, float* target)
        {
            int columns = _depthwise.SourceColumns;
            Product product = _product;
            product.M = Math.Max(0, end - first) * columns;
            product.N = channels;
            product.A += (((nint)sample * _depthwise.SourceRows) + first) * columns * product.Lda;
            product.B += channel;
            product.Panels = product.Panels == null ? null : product.Panels + (channel / PanelWidth * product.PanelStride);
            product.C = target;
            product.Ldc = channels;
            product.Epilogue = product.Epilogue.At(channel);
            Gemm<TLanes>.RunPanels(product);
        }
    }
}
