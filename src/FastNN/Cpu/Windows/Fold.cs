using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Windows beside each other, and back; the work is in <see cref="FoldLoops{TLanes}"/>.</summary>
internal sealed unsafe partial class CpuWindows
{
    public void Unfold(in Conv2DGeometry geometry, Tensor images, Tensor columns, bool accumulate)
    {
        var action = new FoldAction(Pool, geometry, Floats(images), Floats(columns), accumulate, unfolds: true);
        Simd.Dispatch(ref action);
    }

    public void Fold(in Conv2DGeometry geometry, Tensor columns, Tensor images, bool accumulate)
    {
        var action = new FoldAction(Pool, geometry, Floats(images), Floats(columns), accumulate, unfolds: false);
        Simd.Dispatch(ref action);
    }

    private readonly struct FoldAction(
        WorkerPool pool, Conv2DGeometry geometry, float* images, float* columns, bool accumulate, bool unfolds) : ILanesAction
    {
        public void Invoke<TLanes>()
            where TLanes : struct, IVectorLanes<TLanes>
        {
            var body = new FoldLoops<TLanes>(geometry, images, columns, accumulate, unfolds);
            pool.Run(body.Tasks, ref body);
        }
    }
}
