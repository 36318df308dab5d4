"""The embedded chat model: understands any tool from its declaration, without a language model."""
