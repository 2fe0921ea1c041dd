namespace FastNN.Cpu;

/// <summary>A recurrent weight in panels, and its products with the rows of one step on the thread that calls.</summary>
internal static unsafe class RecurrentProduct
{
    /// <summary>Packs B [rows, columns], or with <paramref name="transposed"/> one stored as [columns, rows].</summary>
    public static void Pack(float* source, nint stride, int columns, int rows, bool transposed, float* panels)
    {
        if (columns > 0 && rows > 0)
        {
            var action = new Packing(source, stride, columns, rows, transposed, panels);
            Simd.Dispatch(ref action);
        }
    }

    /// <summary>C [m, n] (=|+=) A [m, k] times packed B, plus the epilogue's bias; the bias alone where k is 0.</summary>
    /// <param name="packedRows">The length of the sums that the panels were packed for.</param>
    public static void Multiply<TLanes>(
        int m, int n, int k, float* a, nint lda, float* panels, int packedRows, float* c, nint ldc, in Epilogue epilogue)
        where TLanes : struct, IVectorLanes<TLanes> => Gemm<TLanes>.RunPanels(new Product
        {
            M = m,
            N = n,
            K = k,
            A = a,
            Lda = lda,
            Panels = panels,
            PanelStride = (nint)packedRows * 2 * TLanes.Count,
            C = c,
            Ldc = ldc,
            Epilogue = epilogue,
        });

    private readonly struct Packing(float* source, nint stride, int columns, int rows, bool transposed, float* panels)
        : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes> =>
            Cpu.Pack<TLanes>.Panels(source, stride, columns, rows, transposed, panels);
    }
}
