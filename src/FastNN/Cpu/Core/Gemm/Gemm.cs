using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// C [m, n] (=|+=) op(A) * op(B), row-major float32, with bias and activation fused (<see cref="Epilogue"/>).
/// The rung is fixed by the processor; the JIT sees these tests as constants.
/// </summary>
internal static unsafe class Gemm
{
    /// <param name="pool">Runs the tiles; small products stay on the caller.</param>
    /// <param name="transA">A is stored as [k, m].</param>
    /// <param name="transB">B is stored as [n, k].</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">The length of the sums; 0 gives the epilogue of zero.</param>
    /// <param name="a">A, <paramref name="lda"/> floats from row to row as stored.</param>
    /// <param name="lda">Floats between rows of A as stored.</param>
    /// <param name="b">B, <paramref name="ldb"/> floats from row to row as stored.</param>
    /// <param name="ldb">Floats between rows of B as stored.</param>
    /// <param name="c">C, which overlaps neither A nor B.</param>
    /// <param name="ldc">Floats between rows of C.</param>
    /// <param name="epilogue">Bias, activation, = or +=.</param>
    public static void Run(
        WorkerPool pool, bool transA, bool transB, int m, int n, int k,
        float* a, nint lda, float* b, nint ldb, float* c, nint ldc, in Epilogue epilogue)
    {
        var product = new Product
        {
            M = m,
            N = n,
            K = k,
            A = a,
            Lda = lda,
            TransA = transA,
            B = b,
            Ldb = ldb,
            TransB = transB,
            C = c,
            Ldc = ldc,
            Epilogue = epilogue,
        };
        Run(pool, product);
    }

    /// <summary>C (=|+=) A * B with a B that may be frozen, which is then packed once.</summary>
    public static void Run(
        WorkerPool pool, FrozenValues? frozen, int m, int n, int k, float* a, nint lda, float* b, nint ldb, float* c, nint ldc,
        in Epilogue epilogue)
    {
        var action = new FrozenMultiplication(pool, frozen, new Product
        {
            M = m,
            N = n,
            K = k,
            A = a,
            Lda = lda,
            B = b,
            Ldb = ldb,
            C = c,
            Ldc = ldc,
            Epilogue = epilogue,
        });
        Simd.Dispatch(ref action);
    }

    /// <summary>Brings a frozen B to where a product of so many rows reads it: into panels where they pay.</summary>
    public static void Freeze(WorkerPool pool, FrozenValues? frozen, ref Product product)
    {
        var action = new Freezing(pool, frozen, product);
        Simd.Dispatch(ref action);
        product = action.Product;
    }

    /// <summary>C (=|+=) A * B with B packed once for many products (weights, for inference).</summary>
    public static void Run(WorkerPool pool, int m, float* a, nint lda, PackedMatrix b, float* c, nint ldc, in Epilogue epilogue)
    {
        var product = new Product
        {
            M = m,
            N = b.Columns,
            K = b.Rows,
            A = a,
            Lda = lda,
            Panels = b.Panels,
            PanelStride = b.PanelStride,
            C = c,
            Ldc = ldc,
            Epilogue = epilogue,
        };
        Run(pool, product);
    }

    private static void Run(WorkerPool pool, in Product product)
    {
        var action = new Multiplication(pool, product);
        Simd.Dispatch(ref action);
    }

    private readonly struct FrozenMultiplication(WorkerPool pool, FrozenValues? frozen, Product product) : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> => Gemm<TLanes>.Run(pool, frozen, product);
    }

    private struct Freezing(WorkerPool pool, FrozenValues? frozen, Product product) : ILanesAction
    {
        public Product Product = product;

        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> => Gemm<TLanes>.Freeze(pool, frozen, ref Product);
    }

    private readonly struct Multiplication(WorkerPool pool, Product product) : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> => Gemm<TLanes>.Run(pool, product);
    }
}

/// <summary>One product, as asked for.</summary>
internal unsafe struct Product
{
    public int M;
    public int N;
    public int K;
    public bool TransA;
    public bool TransB;
    public float* A;
    public nint Lda;

    /// <summary>B as stored; unused where it is packed.</summary>
    public float* B;
    public nint Ldb;

    /// <summary>Whether B is known to have finite numbers alone, so that what a single row has as zero adds nothing.</summary>
    public bool IsFinite;

    /// <summary>B in panels, each as wide as a tile and all of K long; null where it is not.</summary>
    public float* Panels;

    /// <summary>Floats from panel to panel.</summary>
    public nint PanelStride;
    public float* C;
    public nint Ldc;
    public Epilogue Epilogue;
}
