namespace FastNN.Tests.Ops;

internal sealed class Conv1DTests : CpuOpFixture<Conv1DCases>;
