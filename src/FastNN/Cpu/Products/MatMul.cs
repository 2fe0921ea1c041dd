using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Matrix products in batches, each by the tiles of <see cref="Gemm"/>: many small ones are shared among the workers, few large
/// ones share them.
/// </summary>
internal sealed unsafe partial class CpuProducts
{
    public void MatMul(Tensor a, Tensor b, Tensor c, MatMulGeometry geometry, bool accumulate)
    {
        if (c.Count == 0)
        {
            return;
        }

        int batches = (int)geometry.Kept.Count;
        if (geometry.Reduced.Count == 0)
        {
            if (!accumulate)
            {
                Fill(c, 0);
            }

            return;
        }

        // A product inside a task runs on that task's thread; the bits of a product do not depend on its threads.
        var body = new MatMulBody(Pool, geometry, Floats(a), Floats(b), Floats(c), accumulate);
        if (batches < 2 * Threads)
        {
            for (int batch = 0; batch < batches; batch++)
            {
                body.Invoke(batch);
            }
        }
        else
        {
            long work = (long)geometry.M * geometry.N * Math.Max(geometry.K, 1) * geometry.Reduced.Count;
            RowLoop.Run(Pool, batches, Math.Max(1, work / 16), body);
        }
    }

    private readonly struct MatMulBody(WorkerPool pool, MatMulGeometry geometry, float* a, float* b, float* c, bool accumulate)
        : IRowBody
    {
        public void Invoke<TLanes>(nint start, nint end)
            where TLanes : struct, IVectorLanes<TLanes>
        {
            for (nint batch = start; batch < end; batch++)
            {
                Invoke(batch);
            }
        }

        public void Invoke(nint batch)
        {
            StridedAxes kept = geometry.Kept, reduced = geometry.Reduced;
            kept.LocateElement(batch, out nint firstA, out nint firstB, out nint firstC);
            for (int term = 0; term < reduced.Count; term++)
            {
                reduced.LocateElement(term, out nint moreA, out nint moreB, out _);
                Epilogue epilogue = accumulate || term > 0 ? Epilogue.Add : Epilogue.Store;
                Gemm.Run(
                    pool, geometry.TransposeA, geometry.TransposeB, geometry.M, geometry.N, geometry.K, a + firstA + moreA,
                    geometry.StrideA,
                    b + firstB + moreB, geometry.StrideB, c + firstC, geometry.N, epilogue);
            }
        }
    }
}
