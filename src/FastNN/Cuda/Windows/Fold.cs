using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Windows beside each other, and back, see kernels/fold.cu.</summary>
internal sealed unsafe partial class CudaWindows
{
    public void Unfold(in Conv2DGeometry geometry, Tensor images, Tensor columns, bool accumulate)
    {
        bool fours = geometry.C % 4 == 0 && IsAligned(images.Address, columns.Address);
        Launch(
            "fold", fours ? "fold_unfold_fours" : "fold_unfold", DepthwiseGrid(columns.Count, fours),
            new FoldArguments(
                images.Address, columns.Address, new ConvolutionShape(geometry), Tensor.Index(columns.Count),
                accumulate ? 1 : 0));
    }

    public void Fold(in Conv2DGeometry geometry, Tensor columns, Tensor images, bool accumulate)
    {
        bool fours = geometry.C % 4 == 0 && IsAligned(images.Address, columns.Address);
        Launch(
            "fold", fours ? "fold_fold_fours" : "fold_fold", DepthwiseGrid(images.Count, fours),
            new FoldArguments(
                images.Address, columns.Address, new ConvolutionShape(geometry), Tensor.Index(images.Count),
                accumulate ? 1 : 0));
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct FoldArguments(nint Images, nint Columns, ConvolutionShape Shape, int Count, int Accumulate);
}
