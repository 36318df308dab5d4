"""Sentence proof: is a sentence of an answer supported by the article it rests on?"""
