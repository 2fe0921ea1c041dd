using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Functions of one number: y = f(x), 8 bytes per element; dX (=|+=) dY f', 12 or 16 bytes, 4 less where f' needs neither x nor y.</summary>
internal sealed unsafe partial class CpuDevice
{
    public void ActivationForward(Activation activation, Tensor x, Tensor y) => FunctionLoops.Of(activation.Function.Id).Forward(Pool, activation.Scalars, x, y);

    public void ActivationBackward(Activation activation, Tensor xOrY, Tensor dY, Tensor dX, bool accumulate) =>
        FunctionLoops.Of(activation.Function.Id).Backward(Pool, activation.Scalars, xOrY, dY, dX, accumulate);

    /// <summary>f over a few values in place, on this thread: the second pass of a fused product.</summary>
    /// <param name="function">The function's place in its table.</param>
    internal static void ActivateInPlace(int function, Scalars scalars, float* values, int count) =>
        FunctionLoops.Of(function).InPlace(scalars, values, count);

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

    /// <summary>The loops of one function, which the JIT compiles for it; found by the function's row.</summary>
    private abstract class FunctionLoops
    {
        private static readonly FunctionLoops[] All = [.. FunctionTable.Unary.Select(row => row.Accept(default(Compiled)))];

        public static FunctionLoops Of(int function) => All[function - 1];

        public abstract void Forward(WorkerPool pool, Scalars scalars, Tensor x, Tensor y);

        public abstract void Backward(WorkerPool pool, Scalars scalars, Tensor xOrY, Tensor dY, Tensor dX, bool accumulate);

        public abstract void InPlace(Scalars scalars, float* values, int count);

        private readonly struct Compiled : IUnaryVisitor<FunctionLoops>
        {
            public FunctionLoops Visit<TFunction>(UnaryFunction function)
                where TFunction : struct, IUnaryFunction => new FunctionLoops<TFunction>();
        }
    }

    private sealed class FunctionLoops<TFunction> : FunctionLoops
        where TFunction : struct, IUnaryFunction
    {
        public override void Forward(WorkerPool pool, Scalars scalars, Tensor x, Tensor y) => Map(pool, x, y, new ValueOf<TFunction>(scalars));

        public override void Backward(WorkerPool pool, Scalars scalars, Tensor xOrY, Tensor dY, Tensor dX, bool accumulate) =>
            Map(pool, xOrY, dY, dX, new GradientOf<TFunction>(scalars), accumulate);

        public override void InPlace(Scalars scalars, float* values, int count) =>
            ElementLoop.Range(new UnaryMap<ValueOf<TFunction>, Assign>(values, values, new(scalars)), 0, count);
    }
}

/// <summary>A function's value, for the loops.</summary>
internal readonly struct ValueOf<TFunction>(Scalars scalars) : IUnaryOperator
    where TFunction : struct, IUnaryFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes x)
        where TLanes : struct, ILanes<TLanes> => TFunction.Value(x, scalars);
}

/// <summary>A function's gradient, for the loops.</summary>
internal readonly struct GradientOf<TFunction>(Scalars scalars) : IBinaryOperator
    where TFunction : struct, IUnaryFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TLanes Invoke<TLanes>(TLanes xOrY, TLanes dY)
        where TLanes : struct, ILanes<TLanes> => TFunction.Gradient(xOrY, dY, scalars);
}
