namespace FastNN.Functions;

/// <summary>
/// All scalar functions, a row each. From a row follow the kernels of both devices, the fluent call, the test cases and the mapping from and to
/// PyTorch and ONNX; what is in no row does not exist. Rows are added at the end: a function's place is part of compiled kernels.
/// </summary>
internal static class FunctionTable
{
    public static IReadOnlyList<UnaryFunction> Unary { get; } = Number(
    [
        UnaryFunction.Of<Relu>(),
        UnaryFunction.Of<LeakyRelu>(),
        UnaryFunction.Of<Sigmoid>(),
        UnaryFunction.Of<Tanh>(),
        UnaryFunction.Of<Gelu>(),
        UnaryFunction.Of<GeluTanh>(),
        UnaryFunction.Of<Exp>(),
        UnaryFunction.Of<Log>(),
        UnaryFunction.Of<Expm1>(),
        UnaryFunction.Of<Log1p>(),
        UnaryFunction.Of<Sqrt>(),
        UnaryFunction.Of<Rsqrt>(),
        UnaryFunction.Of<Square>(),
        UnaryFunction.Of<Reciprocal>(),
        UnaryFunction.Of<Abs>(),
        UnaryFunction.Of<Negate>(),
        UnaryFunction.Of<Sign>(),
        UnaryFunction.Of<Sin>(),
        UnaryFunction.Of<Cos>(),
        UnaryFunction.Of<Elu>(),
        UnaryFunction.Of<Celu>(),
        UnaryFunction.Of<Selu>(),
        UnaryFunction.Of<Softplus>(),
        UnaryFunction.Of<Softsign>(),
        UnaryFunction.Of<LogSigmoid>(),
        UnaryFunction.Of<SiLU>(),
        UnaryFunction.Of<Mish>(),
        UnaryFunction.Of<ReLU6>(),
        UnaryFunction.Of<HardTanh>(),
        UnaryFunction.Of<HardSigmoid>(),
        UnaryFunction.Of<HardSwish>(),
    ]);

    public static IReadOnlyList<BinaryFunction> Binary { get; } = Number(
    [
        BinaryFunction.Of<Add>(),
        BinaryFunction.Of<Subtract>(),
        BinaryFunction.Of<Multiply>(),
        BinaryFunction.Of<Divide>(),
        BinaryFunction.Of<Pow>(),
        BinaryFunction.Of<Minimum>(),
        BinaryFunction.Of<Maximum>(),
        BinaryFunction.Of<Equal>(),
        BinaryFunction.Of<NotEqual>(),
        BinaryFunction.Of<Less>(),
        BinaryFunction.Of<LessOrEqual>(),
        BinaryFunction.Of<Greater>(),
        BinaryFunction.Of<GreaterOrEqual>(),
        BinaryFunction.Of<And>(),
        BinaryFunction.Of<Or>(),
        BinaryFunction.Of<Xor>(),
    ]);

    private static UnaryFunction[] Number(UnaryFunction[] rows)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i].Id = i + 1;
        }

        return rows;
    }

    private static BinaryFunction[] Number(BinaryFunction[] rows)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i].Id = i + 1;
        }

        return rows;
    }
}
