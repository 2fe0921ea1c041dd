namespace FastNN.Tests.Ops;

/// <summary>Networks that a user writes from the operators, in all modes that an operator is tested in.</summary>
internal sealed class ComposedTests : CpuOpFixture<ComposedCases>;
