namespace FastNN.Tests.Ops;

internal sealed class Conv3DTests : CpuOpFixture<Conv3DCases>;
