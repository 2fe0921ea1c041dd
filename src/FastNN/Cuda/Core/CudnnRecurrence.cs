using FastNN.Cuda.Bindings;
using FastNN.Kernels;
using static FastNN.Cuda.Bindings.CudnnNative;

namespace FastNN.Cuda;

/// <summary>cuDNN's descriptors of a layer and direction of a recurrent network, its sizes, and where weights are.</summary>
internal sealed unsafe class CudnnRecurrence
{
    private nint _dropout;

    private CudnnRecurrence(RecurrenceGeometry geometry)
    {
        Geometry = geometry;
        Matrices = new int[2 * geometry.Gates];
        Biases = new int[2 * geometry.Gates];
    }

    public RecurrenceGeometry Geometry { get; }

    public nint Rnn { get; private set; }

    /// <summary>x as [T, B, D].</summary>
    public nint X { get; private set; }

    /// <summary>y as [T, B, H].</summary>
    public nint Y { get; private set; }

    /// <summary>h and c as [1, B, H].</summary>
    public nint State { get; private set; }

    public nuint WeightBytes { get; private set; }

    public nuint TrainingWorkspaceBytes { get; private set; }

    public nuint InferenceWorkspaceBytes { get; private set; }

    /// <summary>What forward leaves for backward.</summary>
    public nuint ReserveBytes { get; private set; }

    /// <summary>
    /// Where the matrices [H, rows] of the gates begin, in floats from the beginning of the weights: those of inputs first, then
    /// those of states. cuDNN has the gates of an LSTM in the order input, forget, cell, output, and of a GRU reset, update,
    /// new, as we have.
    /// </summary>
    public int[] Matrices { get; }

    /// <summary>Likewise the biases [H].</summary>
    public int[] Biases { get; }

    /// <summary>Makes the descriptors; null where cuDNN does not support what they describe.</summary>
    /// <param name="address">Any address on the device: places in the weights are told as addresses.</param>
    public static CudnnRecurrence? Create(RecurrenceGeometry geometry, nint handle, nint address, bool allowTF32)
    {
        var made = new CudnnRecurrence(geometry);
        bool supported = false;
        try
        {
            supported = made.Describe(handle, allowTF32) && made.Measure(handle) && made.Locate(handle, address);
        }
        finally
        {
            if (!supported)
            {
                made.Destroy();
            }
        }

        return supported ? made : null;
    }

    public void Destroy()
    {
        _ = Rnn == 0 ? CudnnStatus.Success : cudnnDestroyRNNDescriptor(Rnn);
        _ = X == 0 ? CudnnStatus.Success : cudnnDestroyRNNDataDescriptor(X);
        _ = Y == 0 ? CudnnStatus.Success : cudnnDestroyRNNDataDescriptor(Y);
        _ = State == 0 ? CudnnStatus.Success : cudnnDestroyTensorDescriptor(State);
        _ = _dropout == 0 ? CudnnStatus.Success : cudnnDestroyDropoutDescriptor(_dropout);
    }

    private static bool Supported(string call, CudnnStatus status)
    {
        if (Cudnn.IsUnsupported(status))
        {
            return false;
        }

        Cudnn.Check(call, status, " CudaOptions.UseCudnn = false computes without cuDNN.");
        return true;
    }

    private bool Describe(nint handle, bool allowTF32)
    {
        nint made;
        Cudnn.Check(nameof(cudnnCreateRNNDescriptor), cudnnCreateRNNDescriptor(&made));
        Rnn = made;
        Cudnn.Check(nameof(cudnnCreateRNNDataDescriptor), cudnnCreateRNNDataDescriptor(&made));
        X = made;
        Cudnn.Check(nameof(cudnnCreateRNNDataDescriptor), cudnnCreateRNNDataDescriptor(&made));
        Y = made;
        Cudnn.Check(nameof(cudnnCreateTensorDescriptor), cudnnCreateTensorDescriptor(&made));
        State = made;
        Cudnn.Check(nameof(cudnnCreateDropoutDescriptor), cudnnCreateDropoutDescriptor(&made));
        _dropout = made;

        // Between layers there is none, since an operator is one layer; a rate of 0 needs no states.
        Cudnn.Check(nameof(cudnnSetDropoutDescriptor), cudnnSetDropoutDescriptor(_dropout, handle, 0, 0, 0, 0));
        (int batch, int hidden) = (Geometry.Batch, Geometry.Hidden);
        int* sizes = stackalloc[] { 1, batch, hidden }, strides = stackalloc[] { checked(batch * hidden), hidden, 1 };
        Cudnn.Check(
            nameof(cudnnSetTensorNdDescriptor),
            cudnnSetTensorNdDescriptor(State, CudnnDataType.Float, 3, sizes, strides));
        return DescribeData(X, Geometry.Inputs) && DescribeData(Y, hidden) && Supported(
            nameof(cudnnSetRNNDescriptor_v8),
            cudnnSetRNNDescriptor_v8(
                Rnn, CudnnRnnAlgorithm.Standard, Mode,
                Geometry.HasBias ? CudnnRnnBiasMode.DoubleBias : CudnnRnnBiasMode.NoBias, CudnnDirectionMode.Unidirectional,
                CudnnRnnInputMode.LinearInput, CudnnDataType.Float, CudnnDataType.Float,
                allowTF32 ? CudnnMathType.Default : CudnnMathType.Fma, Geometry.Inputs, hidden, hidden, 1, _dropout, 0));
    }

    private CudnnRnnMode Mode => Geometry.Cell switch
    {
        RecurrentCell.Lstm => CudnnRnnMode.Lstm,
        RecurrentCell.Gru => CudnnRnnMode.Gru,
        RecurrentCell.ReLU => CudnnRnnMode.Relu,
        _ => CudnnRnnMode.Tanh,
    };

    /// <summary>All sequences have all steps, so that padded and packed are the same.</summary>
    private bool DescribeData(nint descriptor, int features)
    {
        var lengths = new int[Geometry.Batch];
        Array.Fill(lengths, Geometry.Steps);
        fixed (int* all = lengths)
        {
            return Supported(
                nameof(cudnnSetRNNDataDescriptor),
                cudnnSetRNNDataDescriptor(
                    descriptor, CudnnDataType.Float, CudnnRnnDataLayout.SeqMajorPacked, Geometry.Steps, Geometry.Batch, features,
                    all, 0));
        }
    }

    private bool Measure(nint handle)
    {
        nuint weights, training, inference, reserve, none;
        if (!Supported(nameof(cudnnGetRNNWeightSpaceSize), cudnnGetRNNWeightSpaceSize(handle, Rnn, &weights))
            || !Supported(
                nameof(cudnnGetRNNTempSpaceSizes),
                cudnnGetRNNTempSpaceSizes(handle, Rnn, CudnnForwardMode.Training, X, &training, &reserve))
            || !Supported(
                nameof(cudnnGetRNNTempSpaceSizes),
                cudnnGetRNNTempSpaceSizes(handle, Rnn, CudnnForwardMode.Inference, X, &inference, &none)))
        {
            return false;
        }

        (WeightBytes, TrainingWorkspaceBytes, InferenceWorkspaceBytes, ReserveBytes) = (weights, training, inference, reserve);
        return weights <= int.MaxValue;
    }

    /// <summary>Asks for each matrix and bias; false where one is not a plain matrix [H, rows].</summary>
    private bool Locate(nint handle, nint space)
    {
        nint matrix = 0, bias = 0;
        try
        {
            Cudnn.Check(nameof(cudnnCreateTensorDescriptor), cudnnCreateTensorDescriptor(&matrix));
            Cudnn.Check(nameof(cudnnCreateTensorDescriptor), cudnnCreateTensorDescriptor(&bias));
            for (int i = 0; i < Matrices.Length; i++)
            {
                nint matrixAt, biasAt;
                if (!Supported(
                        nameof(cudnnGetRNNWeightParams),
                        cudnnGetRNNWeightParams(
                            handle, Rnn, 0, WeightBytes, space, i, matrix, &matrixAt, bias, &biasAt))
                    || !IsPlain(matrix, i < Geometry.Gates ? Geometry.Inputs : Geometry.Hidden))
                {
                    return false;
                }

                Matrices[i] = (int)((matrixAt - space) / sizeof(float));
                Biases[i] = Geometry.HasBias ? (int)((biasAt - space) / sizeof(float)) : 0;
            }
        }
        finally
        {
            _ = matrix == 0 ? CudnnStatus.Success : cudnnDestroyTensorDescriptor(matrix);
            _ = bias == 0 ? CudnnStatus.Success : cudnnDestroyTensorDescriptor(bias);
        }

        return true;
    }

    private bool IsPlain(nint matrix, int rows)
    {
        const int most = 8;
        int* sizes = stackalloc int[most], strides = stackalloc int[most];
        CudnnDataType type;
        int count;
        Cudnn.Check(
            nameof(cudnnGetTensorNdDescriptor),
            cudnnGetTensorNdDescriptor(matrix, most, &type, &count, sizes, strides));
        return count == 3 && sizes[1] == Geometry.Hidden && sizes[2] == rows && (rows == 1 || strides[2] == 1)
            && (Geometry.Hidden == 1 || strides[1] == rows);
    }
}
