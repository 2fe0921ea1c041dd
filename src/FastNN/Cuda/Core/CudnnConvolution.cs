using FastNN.Cuda.Bindings;
using FastNN.Kernels;
using static FastNN.Cuda.Bindings.CudnnNative;

namespace FastNN.Cuda;

/// <summary>cuDNN's descriptors of one convolution, and the algorithm chosen for one of its passes.</summary>
internal sealed unsafe class CudnnConvolution
{
    public CudnnConvolution(in Conv2DGeometry geometry, bool allowTF32)
    {
        nint made;
        try
        {
            Cudnn.Check(nameof(cudnnCreateTensorDescriptor), cudnnCreateTensorDescriptor(&made));
            X = made;
            Cudnn.Check(nameof(cudnnCreateTensorDescriptor), cudnnCreateTensorDescriptor(&made));
            Y = made;
            Cudnn.Check(nameof(cudnnCreateFilterDescriptor), cudnnCreateFilterDescriptor(&made));
            Filter = made;
            Cudnn.Check(nameof(cudnnCreateConvolutionDescriptor), cudnnCreateConvolutionDescriptor(&made));
            Convolution = made;
            Describe(geometry);
            // For float32 cuDNN's default is TF32 where the GPU has it; without, the results are those of other devices.
            MathType = allowTF32 ? CudnnMathType.Default : CudnnMathType.Fma;
        }
        catch
        {
            Destroy();
            throw;
        }
    }

    public nint X { get; }

    public nint Y { get; }

    public nint Filter { get; }

    public nint Convolution { get; }

    /// <summary>An algorithm is run in the arithmetic that the heuristics gave for it.</summary>
    public CudnnMathType MathType
    {
        set => Cudnn.Check(nameof(cudnnSetConvolutionMathType), cudnnSetConvolutionMathType(Convolution, value));
    }

    public int Algorithm { get; set; }

    public nuint WorkspaceBytes { get; set; }

    public void Destroy()
    {
        _ = X == 0 ? CudnnStatus.Success : cudnnDestroyTensorDescriptor(X);
        _ = Y == 0 ? CudnnStatus.Success : cudnnDestroyTensorDescriptor(Y);
        _ = Filter == 0 ? CudnnStatus.Success : cudnnDestroyFilterDescriptor(Filter);
        _ = Convolution == 0 ? CudnnStatus.Success : cudnnDestroyConvolutionDescriptor(Convolution);
    }

    private void Describe(in Conv2DGeometry g)
    {
        const CudnnTensorFormat nhwc = CudnnTensorFormat.Nhwc;
        const CudnnDataType type = CudnnDataType.Float;
        Cudnn.Check(nameof(cudnnSetTensor4dDescriptor), cudnnSetTensor4dDescriptor(X, nhwc, type, g.N, g.C, g.H, g.W));
        Cudnn.Check(nameof(cudnnSetTensor4dDescriptor), cudnnSetTensor4dDescriptor(Y, nhwc, type, g.N, g.OC, g.OH, g.OW));
        Cudnn.Check(
            nameof(cudnnSetFilter4dDescriptor), cudnnSetFilter4dDescriptor(Filter, type, nhwc, g.OC, g.GroupC, g.KH, g.KW));
        Cudnn.Check(
            nameof(cudnnSetConvolution2dDescriptor),
            cudnnSetConvolution2dDescriptor(
                Convolution, g.Vertical.PadBefore, g.Horizontal.PadBefore, g.Vertical.Stride, g.Horizontal.Stride,
                g.Vertical.Dilation,
                g.Horizontal.Dilation, CudnnConvolutionMode.CrossCorrelation, type));
        Cudnn.Check(nameof(cudnnSetConvolutionGroupCount), cudnnSetConvolutionGroupCount(Convolution, g.Groups));
    }
}
