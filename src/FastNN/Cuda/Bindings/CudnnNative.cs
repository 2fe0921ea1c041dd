using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;

namespace FastNN.Cuda.Bindings;

/// <summary>
/// The part of cuDNN 9 that FastNN uses, by its C names. ManagedCuda's own declarations stop at cuDNN 7, whose status codes are
/// others. Handles and descriptors are pointers to what cuDNN keeps to itself.
/// </summary>
internal static unsafe class CudnnNative
{
    private const string Library = "cudnn64_9";

    [DllImport(Library)]
    public static extern CudnnStatus cudnnCreate(nint* handle);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnDestroy(nint handle);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnSetStream(nint handle, CUstream streamId);

    [DllImport(Library)]
    public static extern byte* cudnnGetErrorString(CudnnStatus status);

    [DllImport(Library)]
    public static extern void cudnnGetLastErrorString(byte* message, nuint max_size);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnCreateTensorDescriptor(nint* tensorDesc);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnSetTensor4dDescriptor(
        nint tensorDesc, CudnnTensorFormat format, CudnnDataType dataType, int n, int c, int h, int w);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnDestroyTensorDescriptor(nint tensorDesc);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnCreateFilterDescriptor(nint* filterDesc);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnSetFilter4dDescriptor(
        nint filterDesc, CudnnDataType dataType, CudnnTensorFormat format, int k, int c, int h, int w);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnDestroyFilterDescriptor(nint filterDesc);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnCreateConvolutionDescriptor(nint* convDesc);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnSetConvolution2dDescriptor(
        nint convDesc, int pad_h, int pad_w, int u, int v, int dilation_h, int dilation_w, CudnnConvolutionMode mode,
        CudnnDataType computeType);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnSetConvolutionMathType(nint convDesc, CudnnMathType mathType);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnSetConvolutionGroupCount(nint convDesc, int groupCount);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnDestroyConvolutionDescriptor(nint convDesc);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnGetConvolutionForwardAlgorithm_v7(
        nint handle, nint srcDesc, nint filterDesc, nint convDesc, nint destDesc, int requestedAlgoCount, int* returnedAlgoCount,
        CudnnAlgorithmPerformance* perfResults);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnGetConvolutionBackwardDataAlgorithm_v7(
        nint handle, nint filterDesc, nint diffDesc, nint convDesc, nint gradDesc, int requestedAlgoCount, int* returnedAlgoCount,
        CudnnAlgorithmPerformance* perfResults);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnGetConvolutionBackwardFilterAlgorithm_v7(
        nint handle, nint srcDesc, nint diffDesc, nint convDesc, nint gradDesc, int requestedAlgoCount, int* returnedAlgoCount,
        CudnnAlgorithmPerformance* perfResults);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnGetConvolutionForwardWorkspaceSize(
        nint handle, nint xDesc, nint wDesc, nint convDesc, nint yDesc, int algo, nuint* sizeInBytes);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnGetConvolutionBackwardDataWorkspaceSize(
        nint handle, nint wDesc, nint dyDesc, nint convDesc, nint dxDesc, int algo, nuint* sizeInBytes);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnGetConvolutionBackwardFilterWorkspaceSize(
        nint handle, nint xDesc, nint dyDesc, nint convDesc, nint gradDesc, int algo, nuint* sizeInBytes);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnConvolutionForward(
        nint handle, float* alpha, nint xDesc, nint x, nint wDesc, nint w, nint convDesc, int algo, nint workSpace,
        nuint workSpaceSizeInBytes,
        float* beta, nint yDesc, nint y);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnConvolutionBackwardData(
        nint handle, float* alpha, nint wDesc, nint w, nint dyDesc, nint dy, nint convDesc, int algo, nint workSpace,
        nuint workSpaceSizeInBytes,
        float* beta, nint dxDesc, nint dx);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnConvolutionBackwardFilter(
        nint handle, float* alpha, nint xDesc, nint x, nint dyDesc, nint dy, nint convDesc, int algo, nint workSpace,
        nuint workSpaceSizeInBytes,
        float* beta, nint dwDesc, nint dw);
}
