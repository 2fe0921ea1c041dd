using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>
/// Functions of one number: y = f(x), 8 bytes per element; dX (=|+=) dY f', 12 or 16 bytes, 4 less where f' needs neither x nor
/// y.
/// </summary>
internal sealed unsafe partial class CpuElements
{
    public void ActivationForward(Activation activation, Tensor x, Tensor y) =>
        FunctionLoops.Of(activation).Forward(Pool, activation.Scalars, x, y);

    public void ActivationBackward(Activation activation, Tensor xOrY, Tensor dY, Tensor dX, bool accumulate) =>
        FunctionLoops.Of(activation).Backward(Pool, activation.Scalars, xOrY, dY, dX, accumulate);

    public void BiasActivationForward(Activation activation, Tensor x, Tensor bias, Tensor z, Tensor y)
    {
        BinaryForward(BinaryFunction.Of<Functions.Add>(), x, bias, z);
        ActivationForward(activation, z, y);
    }

    public void BiasActivationBackward(
        Activation activation, Tensor z, Tensor dY, Tensor dX, Tensor? dBias, bool accumulateBias)
    {
        ActivationBackward(activation, z, dY, dX, accumulate: false);
        if (dBias is not null)
        {
            SumRepeated(dX, dBias, accumulateBias);
        }
    }
}
