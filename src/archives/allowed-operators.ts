function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

/** Elementwise, and so harmless in place as well. */
const elementwise = words(`
  abs acos acosh add addcdiv addcmul asin asinh atan atan2 atanh bitwise_and bitwise_not bitwise_or
  bitwise_xor ceil celu clamp clamp_max clamp_min clip copysign cos cosh deg2rad digamma div divide
  dropout elu eq erf erfc erfinv exp exp2 expm1 fill floor floor_divide fmod frac ge gt hardsigmoid
  hardswish hardtanh hypot le leaky_relu lerp lgamma log log10 log1p log2 logical_and logical_not
  logical_or logical_xor logit lt masked_fill mish mul multiply nan_to_num ne neg negative pow
  rad2deg reciprocal relu relu6 remainder round rsqrt selu sgn sigmoid sign silu sin sinc sinh sqrt
  square sub subtract tan tanh threshold tril triu true_divide trunc where xlogy zero
`);

const tensors = words(`
  addmm addmv addr all allclose amax amin aminmax any arange argmax argmin
  argsort avg_pool1d adaptive_avg_pool1d adaptive_max_pool1d max_pool1d alias baddbmm batch_norm
  bilinear bincount block_diag bmm broadcast_tensors broadcast_to bucketize cat
  cartesian_prod cdist chunk clone column_stack concat concatenate constant_pad_nd
  contiguous conv1d conv2d _convolution convolution cosine_similarity count_nonzero cov cross cummax
  cummin cumprod cumsum cumulative_trapezoid data detach diag diag_embed diagonal diff dist dot
  dstack einsum embedding embedding_bag equal expand expand_as eye feature_dropout
  alpha_dropout flatten flip fliplr flipud fmax fmin frobenius_norm full full_like gather gelu ger
  glu group_norm gru gru_cell hardshrink heaviside hstack index index_add index_copy index_fill
  index_put index_select inner instance_norm isclose isfinite isin isinf isnan isneginf isposinf
  is_complex is_floating_point is_nonzero is_same_size item kthvalue layer_norm
  leaky_relu linalg_norm linalg_vector_norm linalg_matrix_norm linalg_multi_dot linear linspace
  log_sigmoid log_softmax logaddexp logaddexp2 logcumsumexp logspace logsumexp lstm lstm_cell
  masked_scatter masked_select matmul max maximum mean median meshgrid min minimum mm mode moveaxis
  movedim multiply mv nanmean nanmedian nansum narrow native_layer_norm
  native_group_norm native_batch_norm new_full new_ones new_zeros nonzero norm norm_except_dim
  nuclear_norm numel one_hot ones ones_like outer pad pdist permute
  pinverse positive prelu prod quantile nanquantile ravel relu repeat
  repeat_interleave reshape reshape_as rms_norm _fused_rms_norm rnn_relu rnn_relu_cell rnn_tanh
  rnn_tanh_cell roll rot90 rsub scalar_tensor scaled_dot_product_attention scatter scatter_add
  scatter_reduce searchsorted select select_scatter size slice slice_scatter softmax
  _softmax _log_softmax _weight_norm softplus softshrink sort split split_with_sizes squeeze
  stack std std_mean stride sum sum_to_size swapaxes swapdims t take take_along_dim tensor
  tensor_split tensordot tile to topk trace transpose trapezoid trapz tril_indices
  triu_indices type_as unbind unflatten unique_consecutive
  unsafe_chunk unsafe_split unsafe_split_with_sizes unsqueeze var var_mean vdot
  view view_as vstack zeros zeros_like
  _native_multi_head_attention _transformer_encoder_layer_fwd
  _nested_tensor_from_mask _nested_tensor_from_mask_left_aligned to_padded_tensor
  is_autocast_enabled is_grad_enabled get_autocast_dtype `);

/** On numbers, strings, lists and dictionaries. */
const containers = words(`
  __and__ __contains__ __derive_index __getitem__ __is__ __isnot__ __not__ __or__ __range_length
  __round_to_zero_floordiv __xor__ _set_item append Bool bool capitalize clear copy count
  degrees device dict dim endswith extend Float float floordiv format factorial find gcd get hash
  insert Int int isdigit items join keys len list lower lstrip mathremainder neg ord percentFormat
  pop popitem radians replace reverse rstrip setdefault sorted splitlines startswith str strip
  ScalarImplicit FloatImplicit IntImplicit update upper values warn
`);

/** What may stand behind `torch.`, in code or as a method. @internal */
export const allowedOperators: ReadonlySet<string> = new Set([
  ...elementwise,
  ...elementwise.map((operator) => `${operator}_`),
  ...tensors,
  ...containers,
  'squeeze_',
  'unsqueeze_',
  'transpose_',
  't_',
  'copy_',
  'cumsum_',
  'index_add_',
  'index_fill_',
  'index_put_',
  'scatter_',
  'scatter_add_',
]);

/** What may stand behind `ops.`. @internal */
export const allowedNamespacedOperators: ReadonlySet<string> = new Set([
  ...words(`
    NumToTensor RaiseException abs data device dtype is_cpu is_cuda is_meta is_nested is_quantized
    is_sparse itemsize layout max min rangelist requires_grad tolist type unchecked_cast
    unchecked_unwrap_optional
  `).map((operator) => `prim.${operator}`),
  ...[...elementwise, ...tensors].map((operator) => `aten.${operator}`),
]);

/** Attributes of a tensor that need no declaration. @internal */
export const tensorAttributes: ReadonlySet<string> = new Set(
  words('T mT device dtype is_cpu is_cuda is_nested layout ndim requires_grad shape'),
);

/** Functions and types that stand in code by themselves. @internal */
export const allowedWords: ReadonlySet<string> = new Set(
  words(`
    annotate unchecked_cast uninitialized isinstance inf nan infj nanj
    abs all any bool complex dict divmod enumerate float hash int len list max min ord pow range
    rangelist reversed round slice sorted str sum tuple type zip
    Any AnyListType AnyTupleType BroadcastingList1 BroadcastingList2 BroadcastingList3 Device Dict
    Final InterfaceType Layout List MemoryFormat Module NamedTuple NoneType None number Optional
    QScheme Scalar ScalarType Tensor Tuple Union Enum
  `),
);

/** Words of the language. @internal */
export const keywords: ReadonlySet<string> = new Set(
  words(`
    and as assert break class continue def elif else False for if in is None not or pass raise
    return True while with
  `),
);

/** Methods with two underscores that a class may define. @internal */
export const allowedMagicMethods: ReadonlySet<string> = new Set(
  words(`
    __init__ __len__ __contains__ __getitem__ __setitem__ __iter__ __next__ __call__ __enter__
    __exit__ __str__ __repr__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __add__ __sub__ __mul__
    __truediv__ __mod__ __neg__ __bool__ __int__ __float__ __hash__
  `),
);

/** Fields with two underscores in which a class lists its parts. @internal */
export const allowedClassFields: ReadonlySet<string> = new Set(
  words(`
    __parameters__ __buffers__ __annotations__ __forward_hooks__ __forward_pre_hooks__
  `),
);
