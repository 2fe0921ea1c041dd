using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <content>A 1x1 filter with stride 1 is a plain matrix product over all pixels.</content>
internal static unsafe partial class Convolution<TLanes>
{
    private const int BiasMaxChunks = 16;
    private const int BiasPixelsPerStrip = 256;

    private static bool IsProduct(in Conv2DGeometry geometry) =>
        geometry.IsMatrixProduct && (long)geometry.N * geometry.H * geometry.W <= int.MaxValue;

    private static void ProductForward(
        WorkerPool pool, in Conv2DGeometry geometry, float* x, float* w, float* y, in Epilogue epilogue, FrozenValues? frozen) =>
        Gemm<TLanes>.Run(pool, frozen, PixelProduct(geometry, x, w, y, epilogue));

    private static Product PixelProduct(in Conv2DGeometry geometry, float* x, float* w, float* y, in Epilogue epilogue) => new()
    {
        M = geometry.N * geometry.H * geometry.W,
        N = geometry.OC,
        K = geometry.C,
        A = x,
        Lda = geometry.C,
        B = w,
        Ldb = geometry.OC,
        C = y,
        Ldc = geometry.OC,
        Epilogue = epilogue,
    };

    private static void ProductBackwardData(
        WorkerPool pool, in Conv2DGeometry geometry, float* dy, float* w, float* dx, in Epilogue epilogue) =>
        Gemm<TLanes>.Run(pool, new Product
        {
            M = geometry.N * geometry.H * geometry.W,
            N = geometry.C,
            K = geometry.OC,
            A = dy,
            Lda = geometry.OC,
            B = w,
            Ldb = geometry.OC,
            TransB = true,
            C = dx,
            Ldc = geometry.C,
            Epilogue = epilogue,
        });

    private static void ProductBackwardFilter(
        WorkerPool pool, in Conv2DGeometry geometry, float* x, float* dy, float* dw, float* dbias,
        bool accumulateWeight, bool accumulateBias, float* workspace)
    {
        Gemm<TLanes>.Run(pool, new Product
        {
            M = geometry.C,
            N = geometry.OC,
            K = geometry.N * geometry.H * geometry.W,
            A = x,
            Lda = geometry.C,
            TransA = true,
            B = dy,
            Ldb = geometry.OC,
            C = dw,
            Ldc = geometry.OC,
            Epilogue = accumulateWeight ? Epilogue.Add : Epilogue.Store,
        });
        SumBias(pool, geometry, dy, dbias, accumulateBias, workspace);
    }

    /// <summary>dbias (=|+=) the sums of dy per channel, unless it is null.</summary>
    private static void SumBias(
        WorkerPool pool, in Conv2DGeometry geometry, float* dy, float* dbias, bool accumulate, float* workspace)
    {
        if (dbias != null)
        {
            var body = new BiasBody(dy, geometry.OutputCount / geometry.OC, geometry.OC, workspace);
            pool.Run(body.Chunks, ref body);
            ConvolutionReduction<TLanes>.Run(pool, workspace, body.Chunks, geometry.OC, dbias, accumulate);
        }
    }

    private static long ProductWorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass) =>
        pass == ConvolutionPass.BackwardFilter ? BiasPartialBytes(geometry) : 0;

    private static long BiasPartialBytes(in Conv2DGeometry geometry) => (long)BiasMaxChunks * geometry.OC * sizeof(float);

    /// <summary>Sums of dy per channel, a partial for each chunk of pixels.</summary>
    private readonly struct BiasBody : IParallelBody
    {
        private readonly float* _dy;
        private readonly long _pixels;
        private readonly int _channels;
        private readonly float* _partials;
        private readonly long _pixelsPerChunk;

        public BiasBody(float* dy, long pixels, int channels, float* partials)
        {
            _dy = dy;
            _pixels = pixels;
            _channels = channels;
            _partials = partials;
            long wanted = Math.Clamp(pixels / BiasPixelsPerStrip, 1, BiasMaxChunks);
            _pixelsPerChunk = (pixels + wanted - 1) / wanted;
            Chunks = (int)((pixels + _pixelsPerChunk - 1) / _pixelsPerChunk);
        }

        public int Chunks { get; }

        public void Invoke(int task, int worker)
        {
            long first = task * _pixelsPerChunk;
            long end = Math.Min(_pixels, first + _pixelsPerChunk);
            float* partial = _partials + ((long)task * _channels);
            for (long pixel = first; pixel < end; pixel += BiasPixelsPerStrip)
            {
                long count = Math.Min(BiasPixelsPerStrip, end - pixel);
                for (int c = 0; c < _channels; c += PanelWidth)
                {
                    SumRows(
                        _dy + (pixel * _channels) + c, count, Math.Min(PanelWidth, _channels - c), _channels, partial + c,
                        pixel > first);
                }
            }
        }
    }
}
