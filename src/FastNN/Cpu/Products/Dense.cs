using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Dense layers as matrix products; weights are [K, N], so forward and the weight's gradient read both operands as they lie.
/// </summary>
internal sealed unsafe partial class CpuProducts
{
    public void DenseForward(Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation)
    {
        (int k, int n) = (weight.Shape[0], weight.Shape[1]);
        var epilogue = new Epilogue(Floats(bias), activation);
        Gemm.Run(
            Pool, weight.Frozen, n == 0 ? 0 : Tensor.Index(y.Count / n), n, k, Floats(x), k, Floats(weight), n, Floats(y), n,
            epilogue);
    }

    public void DenseBackward(Tensor x, Tensor weight, Tensor dY, in DenseGradients gradients)
    {
        DenseBackwardWeight(
            x, dY, gradients.Weight, gradients.Bias, gradients.AccumulateWeight, gradients.AccumulateBias);
        if (gradients.X is { } dX)
        {
            DenseBackwardData(dY, weight, dX, gradients.AccumulateX);
        }
    }

    private void DenseBackwardData(Tensor dY, Tensor weight, Tensor dX, bool accumulate)
    {
        (int k, int n) = (weight.Shape[0], weight.Shape[1]);
        Epilogue epilogue = accumulate ? Epilogue.Add : Epilogue.Store;
        Gemm.Run(
            Pool, false, true, k == 0 ? 0 : Tensor.Index(dX.Count / k), k, n, Floats(dY), n, Floats(weight), n, Floats(dX), k,
            epilogue);
    }

    private void DenseBackwardWeight(
        Tensor x, Tensor dY, Tensor? dWeight, Tensor? dBias, bool accumulateWeight, bool accumulateBias)
    {
        if (dWeight is not null)
        {
            (int k, int n) = (dWeight.Shape[0], dWeight.Shape[1]);
            Epilogue epilogue = accumulateWeight ? Epilogue.Add : Epilogue.Store;
            Gemm.Run(
                Pool, true, false, k, n, n == 0 ? 0 : Tensor.Index(dY.Count / n), Floats(x), k, Floats(dY), n, Floats(dWeight), n,
                epilogue);
        }

        if (dBias is not null)
        {
            // The bias was broadcast over the rows, so its gradient is their sum.
            if (dBias.Count == dY.Count)
            {
                Copy(dY, dBias, accumulateBias);
            }
            else
            {
                new BroadcastSum(dY, dBias, null, default, 1).Run(Pool, accumulateBias);
            }
        }
    }
}
