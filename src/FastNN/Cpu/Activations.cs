using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Activations: y = f(x), 8 bytes per element; dX (=|+=) dY f', 12 or 16 bytes.</summary>
internal sealed unsafe partial class CpuDevice
{
    public void ActivationForward(Activation activation, float slope, Tensor x, Tensor y)
    {
        WorkerPool pool = Pool;
        switch (activation)
        {
            case Activation.ReLU:
                Map(pool, x, y, default(Relu));
                break;
            case Activation.LeakyReLU:
                Map(pool, x, y, new LeakyRelu(slope));
                break;
            case Activation.Sigmoid:
                Map(pool, x, y, default(Sigmoid));
                break;
            case Activation.Tanh:
                Map(pool, x, y, default(Tanh));
                break;
            case Activation.Gelu:
                Map(pool, x, y, default(Gelu));
                break;
            case Activation.GeluTanh:
                Map(pool, x, y, default(GeluTanh));
                break;
            default:
                if (x.Address != y.Address)
                {
                    Copy(x, y, accumulate: false);
                }

                break;
        }
    }

    public void ActivationBackward(Activation activation, float slope, Tensor xOrY, Tensor dY, Tensor dX, bool accumulate)
    {
        WorkerPool pool = Pool;
        switch (activation)
        {
            case Activation.ReLU:
                Map(pool, xOrY, dY, dX, default(ReluGradient), accumulate);
                break;
            case Activation.LeakyReLU:
                Map(pool, xOrY, dY, dX, new LeakyReluGradient(slope), accumulate);
                break;
            case Activation.Sigmoid:
                Map(pool, xOrY, dY, dX, default(SigmoidGradient), accumulate);
                break;
            case Activation.Tanh:
                Map(pool, xOrY, dY, dX, default(TanhGradient), accumulate);
                break;
            case Activation.Gelu:
                Map(pool, xOrY, dY, dX, default(GeluGradient), accumulate);
                break;
            case Activation.GeluTanh:
                Map(pool, xOrY, dY, dX, default(GeluTanhGradient), accumulate);
                break;
            default:
                if (accumulate || dX.Address != dY.Address)
                {
                    Copy(dY, dX, accumulate);
                }

                break;
        }
    }

    /// <summary>f over a few values in place, on this thread: the second pass of a fused product.</summary>
    internal static void ActivateInPlace(Activation activation, float slope, float* values, int count)
    {
        switch (activation)
        {
            case Activation.ReLU:
                ElementLoop.Range(new UnaryMap<Relu, Assign>(values, values, default), 0, count);
                break;
            case Activation.LeakyReLU:
                ElementLoop.Range(new UnaryMap<LeakyRelu, Assign>(values, values, new LeakyRelu(slope)), 0, count);
                break;
            case Activation.Sigmoid:
                ElementLoop.Range(new UnaryMap<Sigmoid, Assign>(values, values, default), 0, count);
                break;
            case Activation.Tanh:
                ElementLoop.Range(new UnaryMap<Tanh, Assign>(values, values, default), 0, count);
                break;
            case Activation.Gelu:
                ElementLoop.Range(new UnaryMap<Gelu, Assign>(values, values, default), 0, count);
                break;
            case Activation.GeluTanh:
                ElementLoop.Range(new UnaryMap<GeluTanh, Assign>(values, values, default), 0, count);
                break;
            default:
                break;
        }
    }

    private static void Map<TOperator>(WorkerPool pool, Tensor x, Tensor y, TOperator f)
        where TOperator : struct, IUnaryOperator =>
        ElementLoop.Run(pool, x.Count, new UnaryMap<TOperator, Assign>(Floats(x), Floats(y), f));

    private static void Map<TOperator>(WorkerPool pool, Tensor a, Tensor b, Tensor y, TOperator f, bool accumulate)
        where TOperator : struct, IBinaryOperator
    {
        if (accumulate)
        {
            ElementLoop.Run(pool, y.Count, new BinaryMap<TOperator, Accumulate>(Floats(a), Floats(b), Floats(y), f));
        }
        else
        {
            ElementLoop.Run(pool, y.Count, new BinaryMap<TOperator, Assign>(Floats(a), Floats(b), Floats(y), f));
        }
    }
}
