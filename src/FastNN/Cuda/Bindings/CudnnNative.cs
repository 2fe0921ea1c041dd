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

    [DllImport(Library)]
    public static extern CudnnStatus cudnnSetTensorNdDescriptor(
        nint tensorDesc, CudnnDataType dataType, int nbDims, int* dimA, int* strideA);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnGetTensorNdDescriptor(
        nint tensorDesc, int nbDimsRequested, CudnnDataType* dataType, int* nbDims, int* dimA, int* strideA);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnCreateDropoutDescriptor(nint* dropoutDesc);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnSetDropoutDescriptor(
        nint dropoutDesc, nint handle, float dropout, nint states, nuint stateSizeInBytes, ulong seed);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnDestroyDropoutDescriptor(nint dropoutDesc);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnCreateRNNDescriptor(nint* rnnDesc);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnSetRNNDescriptor_v8(
        nint rnnDesc, CudnnRnnAlgorithm algo, CudnnRnnMode cellMode, CudnnRnnBiasMode biasMode, CudnnDirectionMode dirMode,
        CudnnRnnInputMode inputMode, CudnnDataType dataType, CudnnDataType mathPrec, CudnnMathType mathType, int inputSize,
        int hiddenSize, int projSize, int numLayers, nint dropoutDesc, uint auxFlags);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnDestroyRNNDescriptor(nint rnnDesc);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnCreateRNNDataDescriptor(nint* rnnDataDesc);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnSetRNNDataDescriptor(
        nint rnnDataDesc, CudnnDataType dataType, CudnnRnnDataLayout layout, int maxSeqLength, int batchSize, int vectorSize,
        int* seqLengthArray, nint paddingFill);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnDestroyRNNDataDescriptor(nint rnnDataDesc);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnGetRNNTempSpaceSizes(
        nint handle, nint rnnDesc, CudnnForwardMode fwdMode, nint xDesc, nuint* workSpaceSize, nuint* reserveSpaceSize);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnGetRNNWeightSpaceSize(nint handle, nint rnnDesc, nuint* weightSpaceSize);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnGetRNNWeightParams(
        nint handle, nint rnnDesc, int pseudoLayer, nuint weightSpaceSize, nint weightSpace, int linLayerID, nint mDesc, nint*
        mAddr, nint bDesc, nint* bAddr);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnRNNForward(
        nint handle, nint rnnDesc, CudnnForwardMode fwdMode, int* devSeqLengths, nint xDesc, nint x, nint yDesc, nint y, nint
        hDesc, nint hx, nint hy, nint cDesc, nint cx, nint cy, nuint weightSpaceSize, nint weightSpace, nuint workSpaceSize,
        nint workSpace, nuint reserveSpaceSize, nint reserveSpace);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnRNNBackwardData_v8(
        nint handle, nint rnnDesc, int* devSeqLengths, nint yDesc, nint y, nint dy, nint xDesc, nint dx, nint hDesc, nint hx,
        nint dhy, nint dhx, nint cDesc, nint cx, nint dcy, nint dcx, nuint weightSpaceSize, nint weightSpace, nuint
        workSpaceSize, nint workSpace, nuint reserveSpaceSize, nint reserveSpace);

    [DllImport(Library)]
    public static extern CudnnStatus cudnnRNNBackwardWeights_v8(
        nint handle, nint rnnDesc, CudnnWgradMode addGrad, int* devSeqLengths, nint xDesc, nint x, nint hDesc, nint hx, nint
        yDesc, nint y, nuint weightSpaceSize, nint dweightSpace, nuint workSpaceSize, nint workSpace, nuint reserveSpaceSize,
        nint reserveSpace);
}
