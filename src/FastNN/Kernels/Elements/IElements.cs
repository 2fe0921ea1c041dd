namespace FastNN.Kernels;

/// <summary>
/// Element by element: functions of one number, operators of two with broadcasting, selection, conversion, dropout.
/// </summary>
internal partial interface IElements;
