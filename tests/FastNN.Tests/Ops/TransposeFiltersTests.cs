namespace FastNN.Tests.Ops;

internal sealed class TransposeFiltersTests : CpuOpFixture<TransposeFiltersCases>;
