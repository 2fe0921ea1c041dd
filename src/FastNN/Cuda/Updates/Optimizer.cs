using System.Runtime.InteropServices;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Optimizer updates: one launch over the flat tensors of the whole network.</summary>
internal sealed unsafe partial class CudaUpdates
{
    public void SgdUpdate(in SgdOptions options, Tensor scalars, Tensor parameters, Tensor gradients, Tensor? velocity)
    {
        if (parameters.Count == 0)
        {
            return;
        }

        var arguments = new SgdArguments(
            scalars.Address, parameters.Address, gradients.Address, AddressOf(velocity), parameters.Count,
            options.Momentum, options.Dampening, options.WeightDecay, options.Nesterov ? 1 : 0);
        Launch("optimizer", velocity is null ? "optimizer_sgd" : "optimizer_sgd_momentum", ElementGrid(parameters.Count), arguments);
    }

    public void AdamUpdate(
        in AdamOptions options, Tensor scalars, Tensor parameters, Tensor gradients, Tensor mean, Tensor variance, Tensor? maximum)
    {
        if (parameters.Count == 0)
        {
            return;
        }

        var arguments = new AdamArguments(
            scalars.Address, parameters.Address, gradients.Address, mean.Address, variance.Address, AddressOf(maximum), parameters.Count,
            Complement(options.Beta1), options.Beta2, Complement(options.Beta2), options.Epsilon, options.WeightDecay, options.Decoupled ? 1 : 0);
        Launch("optimizer", maximum is null ? "optimizer_adam" : "optimizer_adam_amsgrad", ElementGrid(parameters.Count), arguments);
    }

    /// <summary>1 - beta of the decimal number that was meant: 0.999f lies 1.3e-8 beside 0.999, which is 1.3e-5 of the difference to 1.</summary>
    private static float Complement(float beta) => (float)(1 - (double)(decimal)beta);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct SgdArguments(
        nint Scalars, nint Parameters, nint Gradients, nint Velocity, long Count, float Momentum, float Dampening, float WeightDecay, int Nesterov);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct AdamArguments(
        nint Scalars, nint Parameters, nint Gradients, nint Mean, nint Variance, nint Maximum, long Count,
        float MeanShare, float Beta2, float VarianceShare, float Epsilon, float WeightDecay, int Decoupled);
}
