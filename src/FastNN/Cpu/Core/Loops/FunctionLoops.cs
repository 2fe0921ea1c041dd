using System.Runtime.CompilerServices;
using FastNN.Functions;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>The loops of one function, which the JIT compiles for it; found by the function's row.</summary>
internal abstract unsafe class FunctionLoops
{
    private static readonly FunctionLoops[] All = [.. FunctionTable.Unary.Select(row => row.Accept(default(Compiled)))];

    public static FunctionLoops Of(Activation activation) => Of(activation.Function.Id);

    /// <param name="function">The function's place in its table.</param>
    public static FunctionLoops Of(int function) => All[function - 1];

    public abstract void Forward(WorkerPool pool, Scalars scalars, Tensor x, Tensor y);

    public abstract void Backward(WorkerPool pool, Scalars scalars, Tensor xOrY, Tensor dY, Tensor dX, bool accumulate);

    /// <summary>f over a few values in place, on this thread: the second pass of a fused product.</summary>
    public abstract void InPlace(Scalars scalars, float* values, int count);

    private readonly struct Compiled : IUnaryVisitor<FunctionLoops>
    {
        public FunctionLoops Visit<TFunction>(UnaryFunction function)
            where TFunction : struct, IUnaryFunction => new FunctionLoops<TFunction>();
    }
}

/// <inheritdoc/>
internal sealed unsafe class FunctionLoops<TFunction> : FunctionLoops
    where TFunction : struct, IUnaryFunction
{
    public override void Forward(WorkerPool pool, Scalars scalars, Tensor x, Tensor y) =>
        ElementLoop.Map(pool, x, y, new ValueOf<TFunction>(scalars));

    public override void Backward(WorkerPool pool, Scalars scalars, Tensor xOrY, Tensor dY, Tensor dX, bool accumulate) =>
        ElementLoop.Map(pool, xOrY, dY, dX, new GradientOf<TFunction>(scalars), accumulate);

    public override void InPlace(Scalars scalars, float* values, int count) =>
        ElementLoop.Range(new UnaryMap<ValueOf<TFunction>, Assign>(values, values, new(scalars)), 0, count);
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
